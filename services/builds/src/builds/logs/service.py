"""Reading a log: whole, by the page, or as it grows; wherever it is kept."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from uuid import UUID

import msgspec
from msgspec import Struct

from builds.logs import repository, store
from builds.logs.repository import Look
from builds.logs.schema import Line, LogPage, State
from builds.means import Means
from builds.permissions import confine
from builds.types import UNFINISHED
from common.caller import Caller
from common.errors import NotFoundError, UnavailableError

_ENCODER = msgspec.json.Encoder()
_HEARTBEAT = b": still here\n\n"


class Text(Struct, frozen=True):
    """A log as a text; once it cannot grow any more it has a hash."""

    sha256: str | None
    pieces: AsyncGenerator[bytes]


async def _look(means: Means, caller: Caller, build_id: UUID, first: int, most: int) -> Look:
    found = await repository.look(means.db, build_id, caller.user_id, first, most)
    if found is None:
        raise NotFoundError("There is no such build.")
    confine(caller, found.project_id)
    return found


async def _kept(means: Means, build_id: UUID, look: Look, first: int) -> list[Line]:
    if look.kept is None or first >= look.kept.lines:
        return []
    return (await store.lines(means.storage, build_id))[first:]


async def page(means: Means, caller: Caller, build_id: UUID, first: int, limit: int) -> LogPage:
    """Return some lines."""
    most = min(limit, means.settings.log_page_max)
    look = await _look(means, caller, build_id, first, most)
    lines = look.lines or (await _kept(means, build_id, look, first))[:most]
    following = lines[-1].line + 1 if lines else first
    return LogPage(lines, following, look.is_over and len(lines) < most)


async def text(means: Means, caller: Caller, build_id: UUID) -> Text:
    """Return all lines that there are, as plain text; raises before the first."""
    look = await _look(means, caller, build_id, 0, means.settings.log_page_max)
    if look.kept is not None:
        lines = await _kept(means, build_id, look, 0)
        return Text(look.kept.sha256, _pieces(means, caller, build_id, lines, is_all=True))
    sha256 = await repository.text_hash(means.db, build_id) if look.is_over else None
    return Text(sha256, _pieces(means, caller, build_id, look.lines, is_all=False))


async def _pieces(
    means: Means, caller: Caller, build_id: UUID, lines: list[Line], *, is_all: bool
) -> AsyncGenerator[bytes]:
    most = means.settings.log_page_max
    while lines:
        yield store.text_of(lines)
        if is_all:
            return
        first = lines[-1].line + 1
        look = await _look(means, caller, build_id, first, most)
        # it may have moved meanwhile
        is_all = look.kept is not None
        lines = look.lines or await _kept(means, build_id, look, first)


async def stream(means: Means, caller: Caller, build_id: UUID, first: int) -> AsyncGenerator[bytes]:
    """Follow the log from ``first`` on as server-sent events; raises before the first.

    It ends without ``end`` when the reader may not see the build any more, when the store is away,
    or when this process is about to stop: the reader comes back with ``Last-Event-ID`` and misses
    nothing.
    """
    look = await _look(means, caller, build_id, first, means.settings.log_page_max)
    kept = await _kept(means, build_id, look, first)
    return _follow(means, caller, build_id, first, _Given(look, kept))


class _Given(Struct, frozen=True):
    """What a reader is given next. A log that is kept is given at once, to its end."""

    look: Look
    kept: list[Line]


async def _next(means: Means, caller: Caller, build_id: UUID, first: int) -> _Given | None:
    most = means.settings.log_page_max
    look = await repository.look(means.db, build_id, caller.user_id, first, most)
    if look is None:
        return None
    try:
        return _Given(look, await _kept(means, build_id, look, first))
    except UnavailableError:
        return None


async def _follow(
    means: Means, caller: Caller, build_id: UUID, first: int, given: _Given | None
) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    told = _Told(is_from_start=first == 0)
    spoken = loop.time()
    async with means.wakes.waiting(build_id) as waiting:
        # what came between the first look and the waiting woke nobody: look again at once
        waiting.event.set()
        while given is not None and not means.watch.is_draining:
            look, lines = given.look, given.look.lines or given.kept
            is_full = len(look.lines) == means.settings.log_page_max
            is_last = look.is_over and not is_full
            events = list(told.news(look, lines, is_last=is_last))
            if not events and loop.time() - spoken > means.settings.log_heartbeat_s:
                events = [_HEARTBEAT]
            if events:
                spoken = loop.time()
                yield b"".join(events)
            if is_last:
                return
            first = lines[-1].line + 1 if lines else first
            if not is_full:
                await waiting.news(means.settings.log_poll_s)
            given = await _next(means, caller, build_id, first)


class _Told:
    """What one reader has been told.

    Who begins at the beginning hears each state in its order, even one that had passed before
    anybody could look.
    """

    def __init__(self, *, is_from_start: bool) -> None:
        self._state: State | None = None
        self._rank = -1 if is_from_start else None

    def news(self, look: Look, lines: list[Line], *, is_last: bool) -> Iterator[bytes]:
        """What there is to tell: states and lines as they followed one another."""
        now = _rank(look.state)
        if self._rank is not None:
            passed = [state for rank, state in _passed(look) if self._rank < rank < now]
            yield from (_event("status", _ENCODER.encode(state)) for state in passed)
        if not look.is_over:
            yield from self._status(look.state)
        yield from (_log(line) for line in lines)
        # before the last line nobody hears of the end
        self._rank = min(now, _BUILDING)
        if is_last:
            yield from self._status(look.state)
            yield _event("end", _ENCODER.encode(look.state))

    def _status(self, state: State) -> Iterator[bytes]:
        if state != self._state:
            self._state = state
            yield _event("status", _ENCODER.encode(state))


_BUILDING = 1


def _rank(state: State) -> int:
    return UNFINISHED.index(state.status) if state.status in UNFINISHED else len(UNFINISHED)


def _passed(look: Look) -> list[tuple[int, State]]:
    names = UNFINISHED if look.has_started else UNFINISHED[:1]
    return [(rank, State(name, [], None, None)) for rank, name in enumerate(names)]


def _log(line: Line) -> bytes:
    return b"id: %d\n" % line.line + _event("log", _ENCODER.encode(line))


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
