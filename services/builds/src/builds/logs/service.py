"""Reading a log: whole, by the page, or as it grows."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec

from builds.logs import repository
from builds.logs.schema import Line, LogPage, State
from builds.means import Means
from builds.permissions import confine
from builds.types import UNFINISHED
from common.caller import Caller
from common.errors import NotFoundError

_ENCODER = msgspec.json.Encoder()
_HEARTBEAT = b": still here\n\n"


async def _state(means: Means, caller: Caller, build_id: UUID) -> State:
    found = await repository.state(means.db, build_id, caller.user_id)
    if found is None:
        raise NotFoundError("There is no such build.")
    confine(caller, found.project_id)
    return found.state


async def page(means: Means, caller: Caller, build_id: UUID, first: int, limit: int) -> LogPage:
    """Return some lines."""
    state = await _state(means, caller, build_id)
    most = min(limit, means.settings.log_page_max)
    lines = await repository.lines(means.db, build_id, first, most)
    following = lines[-1].line + 1 if lines else first
    return LogPage(lines, following, state.status not in UNFINISHED and len(lines) < most)


async def text(means: Means, caller: Caller, build_id: UUID) -> AsyncGenerator[bytes]:
    """Return all lines that there are, as plain text; raises before the first."""
    await _state(means, caller, build_id)

    async def pieces() -> AsyncGenerator[bytes]:
        first = 0
        while lines := await repository.lines(
            means.db, build_id, first, means.settings.log_page_max
        ):
            yield "".join(f"{line.text}\n" for line in lines).encode()
            first = lines[-1].line + 1

    return pieces()


async def stream(means: Means, caller: Caller, build_id: UUID, first: int) -> AsyncGenerator[bytes]:
    """Follow the log from ``first`` on as server-sent events; raises before the first.

    It ends without ``end`` when the reader may not see the build any more, or when this process
    is about to stop: the reader comes back with ``Last-Event-ID`` and misses nothing.
    """
    await _state(means, caller, build_id)
    return _follow(means, caller, build_id, first)


async def _follow(
    means: Means, caller: Caller, build_id: UUID, first: int
) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    told: State | None = None
    spoken = loop.time()
    async with means.wakes.waiting(build_id) as waiting:
        while not means.watch.is_draining:
            # the state is read before the lines: none is written after the last state
            found = await repository.state(means.db, build_id, caller.user_id)
            if found is None:
                return
            lines = await repository.lines(means.db, build_id, first, means.settings.log_page_max)
            events = [_log(line) for line in lines]
            if found.state != told:
                events.append(_event("status", _ENCODER.encode(found.state)))
                told = found.state
            first = lines[-1].line + 1 if lines else first
            is_full = len(lines) == means.settings.log_page_max
            if found.state.status not in UNFINISHED and not is_full:
                yield b"".join([*events, _event("end", _ENCODER.encode(found.state))])
                return
            if not events and loop.time() - spoken > means.settings.log_heartbeat_s:
                events.append(_HEARTBEAT)
            if events:
                spoken = loop.time()
                yield b"".join(events)
            if not is_full:
                await waiting.news(means.settings.log_poll_s)


def _log(line: Line) -> bytes:
    return b"id: %d\n" % line.line + _event("log", _ENCODER.encode(line))


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
