"""What happened before this process began to listen, or longer ago than it remembers."""

import asyncio
from contextlib import suppress
from uuid import UUID

import msgspec
import nats.errors
import structlog
from nats.js import JetStreamContext, api
from nats.js.errors import Error as StreamError

from collab.rooms.news import SUBJECTS, news_of
from collab.rooms.room import News
from collab.settings import Settings
from common.bus import STREAM, Bus

log = structlog.get_logger()

_BATCH = 256
_IDLE_S = 30.0
_FORGET_S = 1.0


class Past:
    """Reads the stream of events again, for who comes back."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self._settings = settings
        self._bus = bus
        self._turns = asyncio.Semaphore(settings.replays_max)

    async def since(self, project_id: UUID, seq: int) -> tuple[list[News], int] | None:
        """Return a project's news after ``seq``, and up to where they are complete.

        ``None`` where that is not known, or too much.
        """
        try:
            async with asyncio.timeout(self._settings.replay_s_max), self._turns:
                return await self._since(project_id, seq)
        except (OSError, TimeoutError, nats.errors.Error, StreamError) as exc:
            log.warning("replay_failed", error=repr(exc))
            return None

    async def _since(self, project_id: UUID, seq: int) -> tuple[list[News], int] | None:
        stream = self._bus.stream
        if stream is None:
            return None
        state = (await stream.stream_info(STREAM)).state
        # of another stream, or no longer kept
        if seq > state.last_seq or seq + 1 < state.first_seq:
            return None
        if state.last_seq - seq > self._settings.replay_events_max:
            return None
        found = await self._read(stream, project_id, seq, state.last_seq)
        return found, state.last_seq

    async def _read(
        self, stream: JetStreamContext, project_id: UUID, after: int, last: int
    ) -> list[News]:
        config = api.ConsumerConfig(
            filter_subjects=SUBJECTS,
            ack_policy=api.AckPolicy.NONE,
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            inactive_threshold=_IDLE_S,
            mem_storage=True,
            num_replicas=1,
        )
        if after >= last:
            return []
        try:
            pull = await stream.pull_subscribe("", stream=STREAM, config=config)
            try:
                info = await pull.consumer_info()
                found = await _read(pull, info.num_pending or 0, last)
            finally:
                await pull.unsubscribe()
        finally:
            # also for who has gone meanwhile: the server would keep it for a while
            await _forget(stream, config.name)
        return [news for news in found if news.project_id == project_id]


async def _forget(stream: JetStreamContext, consumer: str | None) -> None:
    """Delete a consumer, if that can be done soon."""
    with suppress(OSError, TimeoutError, nats.errors.Error, StreamError):
        async with asyncio.timeout(_FORGET_S):
            if consumer is not None:
                await stream.delete_consumer(STREAM, consumer)


async def _read(pull: JetStreamContext.PullSubscription, left: int, last: int) -> list[News]:
    """Read on until nothing is ``left``, or what comes is younger than ``last``."""
    found: list[News] = []
    while left:
        for message in await pull.fetch(min(left, _BATCH)):
            place = message.metadata
            left = place.num_pending
            if place.sequence.stream > last:
                return found
            news = _understood(message.subject, message.data, place.sequence.stream)
            if news is not None:
                found.append(news)
    return found


def _understood(subject: str, data: bytes, seq: int) -> News | None:
    try:
        return news_of(subject, data, seq)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
