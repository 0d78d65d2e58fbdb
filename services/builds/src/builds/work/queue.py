"""The work queue: one job for each free pair of hands, acknowledged when all is written down."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import msgspec
import nats.errors
import structlog
from nats.aio.msg import Msg

from builds.runs.types import BuildRequested
from builds.work import one
from builds.work.one import Bench
from common import exchange
from common.contracts.base import CloudEvent
from common.forever import forever

log = structlog.get_logger()

STREAM = "JOBS"
CONSUMER = "builds"

_RETRY_S = 1.0
_DELIVERIES_MAX = 5
_JOB = msgspec.json.Decoder(CloudEvent[BuildRequested])


class Queue:
    """Takes jobs until it is told to stop."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._hands: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to take jobs."""
        loop = asyncio.get_running_loop()
        self._hands = [
            loop.create_task(self._take()) for _ in range(self._bench.settings.builds_at_once)
        ]

    async def stop(self) -> None:
        """Take no more; finish what is under way, or give it back when that takes too long."""
        busy = set(self._busy)
        for hand in self._hands:
            hand.cancel()
        if busy:
            _, late = await asyncio.wait(busy, timeout=self._bench.settings.handing_back_s)
            for job in late:
                job.cancel()
        await asyncio.gather(*self._hands, *busy, return_exceptions=True)

    async def _take(self) -> None:
        await forever("queue", self._listen, pause_s=_RETRY_S)

    async def _listen(self) -> None:
        stream = self._bench.bus.stream
        if stream is None:
            return
        pull = await stream.pull_subscribe_bind(consumer=CONSUMER, stream=STREAM)
        try:
            while True:
                try:
                    (message,) = await pull.fetch(1, timeout=self._bench.settings.job_wait_s)
                except (TimeoutError, nats.errors.TimeoutError):
                    continue
                await self._do(message)
        finally:
            with suppress(nats.errors.Error):
                await pull.unsubscribe()

    async def _do(self, message: Msg) -> None:
        """Do a job in a task of its own, which outlives the hand that took it."""
        job = asyncio.get_running_loop().create_task(self._job(message))
        self._busy.add(job)
        job.add_done_callback(self._busy.discard)
        await asyncio.shield(job)

    async def _job(self, message: Msg) -> None:
        alive = asyncio.get_running_loop().create_task(self._keep(message))
        try:
            event = _JOB.decode(message.data)
            exchange.enter(exchange.Exchange(event.requestid, event.traceparent))
            await one.build_next(self._bench)
        except msgspec.DecodeError as exc:
            log.error("job_unreadable", error=repr(exc))  # noqa: TRY400 - the message says it all
            await _answer(message.term())
        except asyncio.CancelledError:
            # the build was released, with a job of its own
            await _answer(message.ack())
            raise
        except Exception as exc:
            log.exception("job_failed", error=repr(exc))
            await self._later(message)
        else:
            await _answer(message.ack())
        finally:
            alive.cancel()

    async def _later(self, message: Msg) -> None:
        # the janitor writes a new job for a build that stays in the queue
        is_last = message.metadata.num_delivered >= _DELIVERIES_MAX
        await _answer(message.term() if is_last else message.nak(delay=_RETRY_S))

    async def _keep(self, message: Msg) -> None:
        while True:
            await asyncio.sleep(self._bench.settings.job_progress_s)
            await _answer(message.in_progress())


async def _answer(answer: Awaitable[None]) -> None:
    # unheard, the job comes again and finds nothing to do
    with suppress(nats.errors.Error, OSError):
        await answer
