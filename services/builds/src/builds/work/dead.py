"""Jobs that nobody could do are put aside, where people look at them; none vanishes."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg

from builds.runs.types import BuildRequested
from common.bus import Bus
from common.contracts.base import CloudEvent
from common.ids import uuid7

log = structlog.get_logger()

STREAM = "JOBS"
CONSUMER = "builds"

_ADVISORY = f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{STREAM}.{CONSUMER}"
_REASON_CHARS_MAX = 500
FAILURES = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


class _Advisory(msgspec.Struct, frozen=True):
    stream_seq: int
    deliveries: int


async def bury(bus: Bus, subject: str, data: bytes, reason: str, mark: str) -> bool:
    """Put a job aside, once for each ``mark``; false where that has to wait."""
    stream = bus.stream
    if stream is None:
        return False
    headers = {
        "Worldloom-Consumer": CONSUMER,
        "Worldloom-Error": reason[:_REASON_CHARS_MAX],
        "Nats-Msg-Id": f"dead.{CONSUMER}.{mark}",
    }
    try:
        await stream.publish(f"dead.{CONSUMER}.{subject}", data, headers=headers)
    except FAILURES as exc:
        log.warning("job_not_buried", subject=subject, error=repr(exc))
        return False
    log.error("job_dead", subject=subject, reason=reason)
    return True


async def bury_build(bus: Bus, build_id: UUID, reason: str) -> bool:
    """Put the job of a build aside that no worker has survived."""
    job = CloudEvent(
        id=uuid7(),
        source=f"/{CONSUMER}",
        type=BuildRequested.subject,
        subject=str(build_id),
        time=datetime.now(UTC),
        data=BuildRequested(build_id=build_id),
    )
    data = msgspec.json.encode(job)
    return await bury(bus, BuildRequested.subject, data, reason, str(build_id))


async def heed(bus: Bus) -> None:
    """Hear of jobs that the queue gives out no more, and put them aside too."""

    async def act(message: Msg) -> None:
        said = msgspec.json.decode(message.data, type=_Advisory)
        try:
            await _take_away(bus, said)
        except FAILURES as exc:
            # of several workers that hear it one was the first
            log.warning("job_stays", number=said.stream_seq, error=repr(exc))

    await bus.heed(_ADVISORY, act)


async def _take_away(bus: Bus, said: _Advisory) -> None:
    stream = bus.stream
    if stream is None:
        return
    job = await stream.get_msg(STREAM, said.stream_seq)
    reason = f"It was given out {said.deliveries} times, and never done."
    mark = f"{STREAM}.{said.stream_seq}"
    if await bury(bus, job.subject or BuildRequested.subject, job.data or b"", reason, mark):
        await stream.delete_msg(STREAM, said.stream_seq)
