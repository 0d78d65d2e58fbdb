"""The SQL of builds: statements above, the functions that run them below."""

from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from builds.permissions import WRITERS
from builds.runs import columns
from builds.runs.columns import COLUMNS, Seen
from builds.runs.schema import Build
from builds.runs.types import BuildRequested, asked
from builds.tables import BuildRow
from builds.types import RETRYABLE, UNFINISHED, Status
from common import access
from common.access import AccessRow
from common.answers import Window
from common.contracts.builds import BuildCancelled, BuildQueued
from common.database import Database, Queries
from common.outbox import announced, announcing

_B = BuildRow
_ID = bindparam("build_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Text)
_VISIBLE = sa.and_(AccessRow.resource_id == _B.project_id, access.permits(_USER))
_ONE = (
    sa.select(access.role_of(_USER), AccessRow.is_public, _B.result_id, *COLUMNS)
    .join(AccessRow, _VISIBLE)
    .where(_B.id == _ID, _B.deleted_at.is_(None))
)
_PROJECT = sa.and_(_B.project_id == bindparam("project_id", type_=sa.Uuid), _B.deleted_at.is_(None))
_COUNT = sa.select(sa.func.count()).where(_PROJECT)
SORTS = {"queuedAt": _B.queued_at, "completedAt": _B.completed_at, "status": _B.status}


def _is_one_of(statuses: tuple[Status, ...]) -> "sa.ColumnElement[bool]":
    return sa.or_(*[_B.status == status for status in statuses])


def _listing(sort: str) -> "sa.Select[*tuple[Any, ...]]":
    column = cast("sa.ColumnElement[Any]", SORTS[sort.removeprefix("-")])
    order = column.desc().nulls_last() if sort.startswith("-") else column.asc().nulls_last()
    page = (
        sa.select(AccessRow.is_public, *COLUMNS)
        .join(AccessRow, AccessRow.resource_id == _B.project_id)
        .where(_PROJECT)
        .order_by(order, _B.id.desc())
    )
    return page.limit(bindparam("limit", type_=sa.BigInteger)).offset(
        bindparam("offset", type_=sa.BigInteger)
    )


_LISTS = {sort: _listing(sort) for field in SORTS for sort in (field, f"-{field}")}
_OWNER = bindparam("owner_id", type_=sa.Uuid)
_MAY_BUILD = access.permits(sa.cast(_OWNER, sa.Text), *WRITERS)


def _once_more(name: str, statuses: tuple[Status, ...], *more: str) -> "sa.Select[Any]":
    """A build of the same input as another, which it names in the column ``name``."""
    copied = ("project_id", "target", "options", "source_tree", "manifest", *more)
    given: dict[str, Any] = {
        "id": bindparam("new_id", type_=sa.Uuid),
        "user_id": _OWNER,
        name: _B.id,
        "request_id": bindparam("request_id", type_=sa.Text),
        "traceparent": bindparam("traceparent", type_=sa.Text),
    } | {column: getattr(_B, column) for column in copied}
    rows = (
        sa.select(*given.values())
        .join(AccessRow, AccessRow.resource_id == _B.project_id)
        .where(_B.id == _ID, _is_one_of(statuses), _B.deleted_at.is_(None), _MAY_BUILD)
        # neither the right nor the build can go before this one is written
        .with_for_update(read=True, of=[AccessRow, _B])
    )
    return announcing(sa.insert(_B).from_select(list(given), rows).returning(*COLUMNS))


_AGAIN = _once_more("retry_of", RETRYABLE)
# what it is to be equal to comes with it: the other may be deleted meanwhile
_VERIFY = _once_more("verify_of", ("success",), "build_key", "result_id", "artifacts", "site")
_CANCEL = announcing(
    sa.update(_B)
    .where(_B.id == _ID, _is_one_of(UNFINISHED), _B.deleted_at.is_(None))
    .values(
        status="cancelled",
        error_code=bindparam("new_error_code", type_=sa.Text),
        error_message=bindparam("new_error_message", type_=sa.Text),
        completed_at=sa.func.now(),
        worker_id=None,
    )
    .returning(*COLUMNS)
)
_BARRED = (
    sa.select(_B.id, _B.project_id, _B.user_id, _B.target)
    .join(AccessRow, AccessRow.resource_id == _B.project_id)
    .where(
        _PROJECT,
        _is_one_of(UNFINISHED),
        # who has no role at all makes the predicate NULL
        access.permits(sa.cast(_B.user_id, sa.Text), *WRITERS).is_not(sa.true()),
    )
    .order_by(_B.id)
)
_DELETE = (
    sa.update(_B)
    .where(_B.id == _ID, _B.deleted_at.is_(None))
    .values(deleted_at=sa.func.now(), worker_id=None)
)


class Barred(msgspec.Struct, frozen=True):
    """A build that nobody may want any more who did."""

    build_id: UUID
    project_id: UUID
    user_id: UUID
    target: str


def _seen(role: str | None, is_public: bool, result_id: UUID | None, *values: Any) -> Seen:  # noqa: ANN401, FBT001 - as the columns are
    return Seen(role, is_public, columns.build(*values), result_id)


def _listed(is_public: bool, *values: Any) -> Seen:  # noqa: ANN401, FBT001 - as the columns are
    return Seen(None, is_public, columns.build(*values))


async def one(db: Database, build_id: UUID, user_id: UUID) -> Seen | None:
    """Return a build for somebody who may see it."""
    return await db.one_or_none(_ONE, _seen, build_id=build_id, user_id=str(user_id))


async def listed(db: Database, project_id: UUID, window: Window) -> tuple[list[Seen], int]:
    """Return a page of a project's builds, and how many there are."""
    rows = await db.all(
        _LISTS[window.sort],
        _listed,
        project_id=project_id,
        limit=window.limit,
        offset=window.offset,
    )
    return rows, await db.one(_COUNT, int, project_id=project_id)


async def again(db: Database, event: BuildQueued) -> Build | None:
    """Write a build like the one that ``event`` retries; ``None`` where that cannot be."""
    return await _repeat(db, _AGAIN, event, event.retry_of)


async def verify(db: Database, event: BuildQueued) -> Build | None:
    """Write a build that checks the one that ``event`` names; ``None`` where that cannot be."""
    return await _repeat(db, _VERIFY, event, event.verify_of)


async def _repeat(
    db: Database, statement: "sa.Select[Any]", event: BuildQueued, build_id: UUID | None
) -> Build | None:
    job = (BuildRequested(build_id=event.build_id), event.build_id)
    return await db.one_or_none(
        statement,
        columns.build,
        new_id=event.build_id,
        build_id=build_id,
        owner_id=event.user_id,
        **asked(),
        **announced(event, event.build_id, job),
    )


async def cancel(
    db: Queries, event: BuildCancelled, code: str | None = None, message: str | None = None
) -> Build | None:
    """End a build, and say why if need be; ``None`` where it has ended already."""
    return await db.one_or_none(
        _CANCEL,
        columns.build,
        build_id=event.build_id,
        new_error_code=code,
        new_error_message=message,
        **announced(event, event.build_id),
    )


async def barred(db: Queries, project_id: UUID) -> list[Barred]:
    """Return what is queued or under way for those who may not build in the project."""
    return await db.all(_BARRED, Barred, project_id=project_id)


async def delete(db: Database, build_id: UUID) -> None:
    """Hide a build for good; a worker's janitor removes what is left of it."""
    await db.run(_DELETE, build_id=build_id)
