"""Running the statements that write files."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from common import exchange
from common.database import Database, Queries
from common.errors import ConflictError
from common.ids import uuid7
from common.sharing import Shared
from common.statements import word
from projects.files.filling import FILL
from projects.files.statement import CHANGE, CHANGE_KEYS
from projects.files.types import Author, Change, Entry, Result, folded, folders
from projects.permissions import visible
from projects.tables import HeadRow, MemberRow, ProjectBlobRow, ProjectRow

# another instance took the path in another case, or the same files in another order
# or the content was swept away, or the project purged, in this moment
_OVERTAKEN = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.ForeignKeyViolationError,
)
_SHARED_CHANGE = Shared(CHANGE, list(CHANGE_KEYS), exclusive=["project_id", "folded"], batch_max=32)
# until the transaction ends
_FILLING = sa.select(
    sa.func.set_config(
        word("projects.is_filling"), bindparam("is_filling", type_=sa.Text), sa.true()
    )
)
_KNOWN = (
    sa.select(ProjectBlobRow.hash)
    .where(
        ProjectBlobRow.hash == sa.any_(bindparam("hashes", type_=sa.ARRAY(sa.Text))),
        ProjectBlobRow.project_id == ProjectRow.id,
    )
    .correlate(ProjectRow)
    .scalar_subquery()
)
_STANDING = (
    visible(
        sa.select(
            MemberRow.role,
            sa.func.coalesce(HeadRow.bytes, 0),
            sa.func.coalesce(HeadRow.files, 0),
            sa.func.array(_KNOWN, type_=sa.ARRAY(sa.Text)),
        )
    )
).outerjoin(HeadRow, HeadRow.project_id == ProjectRow.id)


def _params(author: Author, change: Change) -> dict[str, Any]:
    now = exchange.current()
    if now is not None:
        now.announced = True
    fold = folded(change.path)
    return {
        **msgspec.structs.asdict(author),
        "folded": fold,
        "folders": "\n".join(folders(fold)),
        "event_id": uuid7(),
        "request_id": now.request_id if now else "",
        "traceparent": now.traceparent if now else "",
        **msgspec.structs.asdict(change),
        "actors": ",".join(map(str, author.actors)) or None,
    }


class Standing(msgspec.Struct, frozen=True):
    """The caller's role, how much the project holds, and which of some contents it knows."""

    role: str | None
    bytes: int
    files: int
    known: Sequence[str]


async def standing(
    db: Queries, project_id: UUID, user_id: UUID, hashes: Sequence[str] = ()
) -> Standing | None:
    """Look before something large is sent, or why something was refused."""
    return await db.one_or_none(
        _STANDING, Standing, project_id=project_id, user_id=user_id, hashes=list(hashes)
    )


def columns_of(author: Author, wanted: list[Change]) -> dict[str, list[Any]]:
    """What the statement is given: a column for each of its keys, a row for each change."""
    rows = [_params(author, one) for one in wanted]
    return {name: [row[name] for row in rows] for name in CHANGE_KEYS}


async def change(db: Database, author: Author, wanted: Change) -> Result:
    """Make one change, sharing its round trip and its commit with others."""
    try:
        row = await db.shared(_SHARED_CHANGE, **_params(author, wanted))
    except _OVERTAKEN:
        return Result("retry", None, None)
    except asyncpg.CheckViolationError as exc:
        return Result(_quota(exc), None, None)
    return Result("missing", None, None) if row is None else Result(*row)


async def change_all(tx: Queries, author: Author, wanted: list[Change]) -> list[Result]:
    """Make many changes of different paths in one statement of a transaction.

    Raises ``ConflictError`` where another instance was quicker; where all of them together are
    more than the project may hold the only result says so.
    """
    try:
        found = await tx.all(CHANGE, _numbered, **columns_of(author, wanted))
    except _OVERTAKEN as exc:
        raise ConflictError("Somebody else writes these files at once; try again.") from exc
    except asyncpg.CheckViolationError as exc:
        return [Result(_quota(exc), None, None)]
    return [result for _, result in sorted(found, key=lambda pair: pair[0])]


class Filled(msgspec.Struct, frozen=True):
    """How far the history of a new project has got, and whether its first keyframe is due."""

    seq: int
    is_due: bool


async def fill(tx: Queries, author: Author, entries: list[Entry]) -> Filled | str:
    """Put files into a new project; return what that made, or which limit they would pass.

    That none of the paths is a file and a folder was looked at before.
    """
    columns: dict[str, object] = {
        "path": [entry.path for entry in entries],
        "folded": [folded(entry.path) for entry in entries],
        "hash": [entry.hash for entry in entries],
        "size": [entry.size for entry in entries],
        "encoding": [entry.encoding for entry in entries],
        "document_id": [uuid7() for _ in entries],
    }
    try:
        await tx.run(_FILLING, is_filling="on")
        made = await tx.one(FILL, Filled, **columns, **msgspec.structs.asdict(author))
    except asyncpg.CheckViolationError as exc:
        return _quota(exc)
    except asyncpg.ForeignKeyViolationError as exc:
        raise ConflictError("The content went in this moment; try again.") from exc
    await tx.run(_FILLING, is_filling="off")
    return made


def _quota(exc: asyncpg.CheckViolationError) -> str:
    """Which limit the head refused to pass."""
    return "full" if exc.constraint_name == "ck_head_bytes" else "crowded"


def _numbered(
    i: int,
    verdict: str,
    etag: str | None,
    body: bytes | None,
    is_due: bool,  # noqa: FBT001 - a row's column
    live: UUID | None,
) -> tuple[int, Result]:
    return i, Result(verdict, etag, body, is_due, live)
