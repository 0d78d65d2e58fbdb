"""What others must do about files that are open live: settle what was typed, or hold it.

To read one file as it is collab is asked for its text. Before many are read, what was typed is
settled: written back into the files. To change one it is held meanwhile: written back, and nothing
more acknowledged until the documents have taken in what became of their files.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

import structlog

from common import exchange
from common.database import Queries
from common.errors import ConflictError, ServiceError
from common.exchange import Exchange
from projects.live import repository
from projects.live.types import LiveError
from projects.means import Means
from projects.peers import LiveText

log = structlog.get_logger()

_ATTEMPTS = 5
_KEY = b"idempotency-key"


class _Read(Protocol):
    """What was read of a project, and whether any file of it is open live."""

    @property
    def is_any_live(self) -> bool: ...


class _File(Protocol):
    """A file that was read, and its document if that is open live."""

    @property
    def hash(self) -> str: ...

    @property
    def live(self) -> UUID | None: ...


type _Release = Callable[[], Awaitable[None]]

# of the request that is being handled: what is released once its transaction has ended
_LATER: ContextVar[tuple[Exchange, list[_Release]] | None] = ContextVar("later", default=None)


async def around[T](
    means: Means, project_id: UUID, change: Callable[[frozenset[UUID]], Awaitable[T]]
) -> T:
    """Make a change; where it finds files open live, hold their documents and make it again.

    ``change`` is given what is held. It has done all, or nothing and says with ``LiveError`` what
    is to be held.
    Raises ``UnavailableError`` where collab does not answer.
    """
    try:
        return await change(frozenset())
    except LiveError as exc:
        found = exc.documents
    for _ in range(_ATTEMPTS):
        try:
            async with _held(means, project_id, found):
                return await change(found)
        except LiveError as exc:
            found = exc.documents
    raise ConflictError("Too many open these files at once; try again.")


@asynccontextmanager
async def _held(means: Means, project_id: UUID, documents: Iterable[UUID]) -> AsyncGenerator[None]:
    hold_id = await means.peers.hold(project_id, sorted(documents))

    async def release() -> None:
        try:
            await means.peers.release(project_id, hold_id)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the change was made
            # it ends by itself, and the documents hear of their files by the events
            log.warning("release_failed", project_id=str(project_id), error=repr(exc))

    try:
        yield
    except BaseException:
        await release()
        raise
    if not _is_put_off(release):
        await release()


def _is_put_off(release: _Release) -> bool:
    """With a key the change is committed beside its answer: until then nobody else sees it."""
    now = exchange.current()
    if now is None or _KEY not in (now.headers or {}):
        return False
    waiting = _LATER.get()
    if waiting is None or waiting[0] is not now:
        waiting = (now, [])
        _LATER.set(waiting)
    waiting[1].append(release)
    exchange.unsettle()
    return True


async def release_all() -> None:
    """Release what the request that is being handled has held; its transaction has ended."""
    waiting = _LATER.get()
    if waiting is None or waiting[0] is not exchange.current():
        return
    while waiting[1]:
        await waiting[1].pop()()


async def current[F: _File](
    means: Means,
    project_id: UUID,
    look: Callable[[], Awaitable[F | None]],
    known: str | None = None,
) -> tuple[F | None, LiveText | None]:
    """Return a file, and what is in its document if that is open live and not what is in the file.

    Without its text where its hash is ``known``. Where collab has no such document the file has
    gone, or got another content, since it was looked at: so it is again. Raises
    ``UnavailableError``.
    """
    found = await look()
    for _ in range(_ATTEMPTS):
        if found is None or found.live is None:
            break
        text = await means.peers.live_text(project_id, found.live, found.hash, known)
        if text is not None:
            return found, None if text.hash == found.hash else text
        found = await look()
    return found, None


async def settled[T: _Read](
    means: Means, project_id: UUID, read: Callable[[], Awaitable[T | None]]
) -> T | None:
    """Read many files; where any is open live, again once what was typed is written into them.

    Raises ``UnavailableError`` where collab does not answer.
    """
    found = await read()
    if found is None or not found.is_any_live:
        return found
    await means.peers.settle(project_id)
    return await read()


async def marked(tx: Queries, project_id: UUID) -> frozenset[UUID]:
    """Return which of a project's documents are open live."""
    return await repository.marked(tx, project_id)


async def settle(means: Means, project_id: UUID, user_id: UUID) -> None:
    """Have what was typed in a project, if the user may see it, written into its files.

    Raises ``UnavailableError`` where collab does not answer.
    """
    if await repository.is_any_live(means.db, project_id, user_id):
        await means.peers.settle(project_id)


async def settle_if_possible(means: Means, project_id: UUID, user_id: UUID) -> None:
    """Settle a project as far as collab answers."""
    with suppress(ServiceError):
        await settle(means, project_id, user_id)
