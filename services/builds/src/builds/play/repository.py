"""The SQL of playing."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from builds.tables import BuildRow
from builds.types import Page
from common import access
from common.access import AccessRow
from common.database import Database

_B = BuildRow
_OPEN = access.permits(bindparam("user_id", type_=sa.Text))
# one of a site's many files: the others stay in the database
_PAGE = (
    sa.select(
        AccessRow.is_public, _B.result_id, _B.site[bindparam("path", type_=sa.Text)].label("page")
    )
    .join(AccessRow, sa.and_(AccessRow.resource_id == _B.project_id, _OPEN))
    .where(
        _B.id == bindparam("build_id", type_=sa.Uuid),
        _B.status == "success",
        _B.deleted_at.is_(None),
    )
)


class Found(msgspec.Struct, frozen=True):
    """Whether everybody may play, and the file; ``None`` where the site has no such file."""

    is_public: bool
    result_id: UUID
    page: Page | None


def _found(is_public: bool, result_id: UUID, page: Any) -> Found:  # noqa: ANN401, FBT001 - as the columns are
    return Found(is_public, result_id, None if page is None else msgspec.convert(page, Page))


async def page(db: Database, build_id: UUID, user_id: UUID, path: str) -> Found | None:
    """Return a file of a build's site, if ``user_id`` (or everybody) may play it."""
    return await db.one_or_none(_PAGE, _found, build_id=build_id, user_id=str(user_id), path=path)
