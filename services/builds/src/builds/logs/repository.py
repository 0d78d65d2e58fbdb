"""The SQL of logs: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from builds.logs.schema import Line, State
from builds.tables import BuildRow, LogRow
from common import access
from common.access import AccessRow
from common.database import Database

_B = BuildRow
_L = LogRow
_ID = bindparam("build_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Text)
_STATE = (
    sa.select(_B.project_id, _B.status, _B.steps, _B.error_code, _B.error_message)
    .join(AccessRow, sa.and_(AccessRow.resource_id == _B.project_id, access.permits(_USER)))
    .where(_B.id == _ID, _B.deleted_at.is_(None))
)
_LINES = (
    sa.select(_L.line, _L.at, _L.step, _L.text)
    .where(_L.build_id == _ID, _L.line >= bindparam("first", type_=sa.BigInteger))
    .order_by(_L.line)
    .limit(bindparam("limit", type_=sa.BigInteger))
)


class Followed(msgspec.Struct, frozen=True):
    """The state of a build, and the project that says who may see it."""

    project_id: UUID
    state: State


def _followed(
    project_id: UUID, status: str, steps: list[Any], code: str | None, message: str | None
) -> Followed:
    said = {"status": status, "steps": steps, "errorCode": code, "errorMessage": message}
    return Followed(project_id, msgspec.convert(said, State))


async def state(db: Database, build_id: UUID, user_id: UUID) -> Followed | None:
    """Return how far a build has come, for somebody who may know."""
    return await db.one_or_none(_STATE, _followed, build_id=build_id, user_id=str(user_id))


async def lines(db: Database, build_id: UUID, first: int, limit: int) -> list[Line]:
    """Return lines from ``first`` on."""
    return await db.all(_LINES, Line, build_id=build_id, first=first, limit=limit)
