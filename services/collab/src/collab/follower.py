"""This process's own view of the events: in order, from when it started, for the rooms it holds.

The service's durable consumer shares its messages among processes; this one gets all of them. What
both must store is claimed by the event's id, so it is stored once, by whichever comes first.
"""

import time
from datetime import UTC, datetime

import msgspec
import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from collab.rooms.news import SUBJECTS
from collab.settings import Settings
from collab.witness import Witness
from common.bus import STREAM, Bus
from common.forever import forever

log = structlog.get_logger()

_SUBJECTS = [*SUBJECTS, "auth.session.>"]
_BATCH = 64
_FETCH_S = 5.0


class GapError(Exception):
    """A message is missing between two that came."""


class Follower:
    """Reads every event once, in order, and shows it to a witness."""

    def __init__(self, settings: Settings, bus: Bus, witness: Witness) -> None:
        self._settings = settings
        self._bus = bus
        self._witness = witness
        self._began_at = datetime.now(UTC)
        self._seq = 0
        self._heard_at = time.monotonic()

    def silent_s(self) -> float:
        """Return for how long nothing was heard from the stream, not even that nothing is new."""
        return time.monotonic() - self._heard_at

    async def run(self) -> None:
        """Follow for ever; after whatever failed, go on behind the last event that was shown."""
        await forever("follower", self._follow, pause_s=self._settings.follower_retry_s)

    async def _follow(self) -> None:
        stream = self._bus.stream
        if stream is None:
            return
        if not self._seq:
            state = (await stream.stream_info(STREAM)).state
            self._witness.starts_behind(state.last_seq)
        pull = await stream.pull_subscribe("", stream=STREAM, config=self._config())
        expected = 1
        try:
            while True:
                try:
                    messages = await pull.fetch(_BATCH, timeout=_FETCH_S)
                except (TimeoutError, nats.errors.TimeoutError):
                    await self._check(pull)
                    self._heard_at = time.monotonic()
                    continue
                for message in messages:
                    await self._show(message, expected)
                    expected += 1
                    self._heard_at = time.monotonic()
        finally:
            await pull.unsubscribe()

    async def _check(self, pull: JetStreamContext.PullSubscription) -> None:
        """A consumer that is gone answers nothing for ever: ask whether it is there."""
        await pull.consumer_info()

    def _config(self) -> api.ConsumerConfig:
        """A consumer of our own, which the server forgets some time after we are gone."""
        config = api.ConsumerConfig(
            filter_subjects=_SUBJECTS,
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=self._settings.follower_idle_s,
            mem_storage=True,
            num_replicas=1,
        )
        if self._seq:
            config.deliver_policy = api.DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self._seq + 1
        else:
            config.deliver_policy = api.DeliverPolicy.BY_START_TIME
            config.opt_start_time = self._began_at
        return config

    async def _show(self, message: Msg, expected: int) -> None:
        sequence = message.metadata.sequence
        if sequence.consumer != expected:
            raise GapError(f"Message {expected} of the consumer is missing.")
        try:
            await self._witness.see(message.subject, message.data, sequence.stream)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            log.warning("event_not_understood", subject=message.subject, error=repr(exc))
        self._seq = sequence.stream
