"""Who lets anybody read a project, and what is read by a link."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from common.caller import Caller
from common.database import Database
from common.errors import InvalidError, NotFoundError
from projects.errors import QuotaExceededError
from projects.files import service as files
from projects.lifecycle import service as lifecycle
from projects.means import Means
from projects.permissions import OWNERS
from projects.sharing import repository
from projects.sharing.schema import CreatedShareLink, NewShareLink, ShareLink
from projects.tokens import digest, fresh
from projects.trees import service as trees

_NONE = "There is no such link."


async def index(db: Database, caller: Caller, project_id: UUID) -> list[ShareLink]:
    """Return the links that are good."""
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        return await repository.listed(tx, project_id)


async def create(
    means: Means, caller: Caller, project_id: UUID, new: NewShareLink
) -> CreatedShareLink:
    """Make a link with which anybody may read the project."""
    _refuse_past(new.expires_at)
    settings, token = means.settings, fresh()
    async with means.db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        limit = settings.share_links_per_project_max
        used = await repository.count(tx, project_id)
        if used >= limit:
            message = "The project has as many links as it may."
            raise QuotaExceededError(message, limit=limit, used=used)
        made = await repository.add(tx, project_id, caller.user_id, digest(token), new.expires_at)
    url = f"{settings.gateway_url.rstrip('/')}/api/v1/shared/{token}"
    return CreatedShareLink(**msgspec.structs.asdict(made), token=token, url=url)


def _refuse_past(expires_at: datetime | None) -> None:
    if expires_at is None:
        return
    try:
        moment = expires_at.astimezone(UTC)
    except OverflowError as exc:
        raise InvalidError.of("expiresAt", "There is no such time.") from exc
    if moment <= datetime.now(UTC):
        raise InvalidError.of("expiresAt", "This is in the past.")


async def revoke(db: Database, caller: Caller, project_id: UUID, link_id: UUID) -> None:
    """Let a link be good no more."""
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        if not await repository.revoke(tx, project_id, link_id):
            raise NotFoundError(_NONE)


async def sweep(means: Means) -> int:
    """Forget some links that are good no more; return how many."""
    return await repository.sweep(means.db, means.settings.sweep_rows_max)


async def show(db: Database, token: str) -> bytes:
    """Return the project as JSON, as a viewer sees it."""
    body = await repository.show(db, digest(token))
    if body is None:
        raise NotFoundError(_NONE)
    return body


async def tree(means: Means, token: str, prefix: str, depth: int) -> tuple[str, bytes]:
    """Return the hash and the entries (as JSON) of what is below ``prefix``."""
    project_id, reader = await _reader(means.db, token)
    return await trees.tree(means, reader, project_id, prefix, depth)


async def file(means: Means, token: str, path: str, known: str | None) -> tuple[str, bytes | None]:
    """Return the file's hash, and it as JSON unless the caller has that hash already."""
    project_id, reader = await _reader(means.db, token)
    return await files.show(means, reader, project_id, path, known)


async def read(means: Means, token: str, path: str) -> tuple[str, bytes]:
    """Return the file's hash and its bytes."""
    project_id, reader = await _reader(means.db, token)
    return await files.read(means, reader, project_id, path)


async def _reader(db: Database, token: str) -> tuple[UUID, Caller]:
    """The project that a link is for, and somebody who sees it, for statements that only read."""
    found = await repository.reader(db, digest(token))
    if found is None:
        raise NotFoundError(_NONE)
    return found.project_id, Caller(user_id=found.user_id)
