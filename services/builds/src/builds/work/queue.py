"""The work queue: one job for each free pair of hands, acknowledged when all is written down."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import msgspec
import nats.errors
import structlog
from nats.aio.msg import Msg

from builds.runs.types import BuildRequested
from builds.work import dead, one
from builds.work.dead import CONSUMER, STREAM
from builds.work.one import Bench
from common.contracts.base import CloudEvent
from common.errors import GONE_AWAY
from common.forever import forever

log = structlog.get_logger()

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
            _JOB.decode(message.data)
            await self._when_possible()
        except msgspec.DecodeError as exc:
            await self._give_up(message, exc)
        except asyncio.CancelledError:
            # the build was released, with a job of its own
            await _answer(message.ack())
            raise
        except Exception as exc:
            log.exception("job_failed", error=repr(exc))
            if message.metadata.num_delivered >= _DELIVERIES_MAX:
                await self._give_up(message, exc)
            else:
                await _answer(message.nak(delay=_RETRY_S))
        else:
            await _answer(message.ack())
        finally:
            alive.cancel()

    async def _when_possible(self) -> None:
        """Do a build; while the database is away the job is kept, which is no fault of it."""
        while True:
            try:
                await one.build_next(self._bench)
            except GONE_AWAY as exc:
                if await self._bench.db.answers():
                    raise
                log.warning("job_waits", error=repr(exc))
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def _give_up(self, message: Msg, exc: Exception) -> None:
        # a build that stays in the queue gets a new job: the janitor counts them
        mark = f"{STREAM}.{message.metadata.sequence.stream}"
        is_put_aside = await dead.bury(
            self._bench.bus, message.subject, message.data, repr(exc), mark
        )
        await _answer(message.term() if is_put_aside else message.nak(delay=_RETRY_S))

    async def _keep(self, message: Msg) -> None:
        while True:
            await asyncio.sleep(self._bench.settings.job_progress_s)
            await _answer(message.in_progress())


async def _answer(answer: Awaitable[None]) -> None:
    # unheard, the job comes again and finds nothing to do
    with suppress(nats.errors.Error, OSError):
        await answer
