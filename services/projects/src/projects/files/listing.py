"""The SQL of listing files: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import aggregate_order_by

from common.answers import Window
from common.database import Database
from common.statements import encoded
from projects.marks import is_any_live
from projects.permissions import live, visible
from projects.shapes import file_info
from projects.tables import FileRow, ProjectRow

_F = FileRow


def _stretch(*, reverse: bool) -> "sa.Select[bytes, bool]":
    prefix = bindparam("prefix", type_=sa.Text)
    after = bindparam("after", type_=sa.Text)
    begins = sa.cast(after, sa.Text).is_(None)
    some = (
        sa.select(file_info(_F).label("item"), _F.path)
        .where(live(prefix), begins | (_F.path < after if reverse else _F.path > after))
        .correlate(ProjectRow)
        .order_by(_F.path.desc() if reverse else _F.path)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .subquery("some")
    )
    order = some.c.path.desc() if reverse else some.c.path
    items = sa.func.json_agg(aggregate_order_by(some.c.item, order))
    listing = sa.func.coalesce(items, sa.literal_column("'[]'::json"))
    inside = sa.lateral(sa.select(encoded(listing).label("listing")).select_from(some), "inside")
    return visible(sa.select(inside.c.listing, is_any_live())).join(inside, sa.true())


_STRETCHES = {"path": _stretch(reverse=False), "-path": _stretch(reverse=True)}


def _list(*, reverse: bool) -> "sa.Select[int, bytes, bool]":
    prefix = bindparam("prefix", type_=sa.Text)
    page = (
        sa.select(file_info(_F).label("item"), _F.path)
        .where(live(prefix))
        .correlate(ProjectRow)
        .order_by(_F.path.desc() if reverse else _F.path)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .offset(bindparam("offset", type_=sa.BigInteger))
        .subquery("page")
    )
    order = page.c.path.desc() if reverse else page.c.path
    items = sa.func.json_agg(aggregate_order_by(page.c.item, order))
    listing = sa.func.coalesce(items, sa.literal_column("'[]'::json"))
    total = sa.select(sa.func.count()).select_from(_F).where(live(prefix)).correlate(ProjectRow)
    inside = sa.lateral(sa.select(encoded(listing).label("listing")).select_from(page), "inside")
    columns = (total.scalar_subquery(), inside.c.listing, is_any_live())
    return visible(sa.select(*columns)).join(inside, sa.true())


_LISTS = {"path": _list(reverse=False), "-path": _list(reverse=True)}


class Stretch(msgspec.Struct, frozen=True):
    """Files as JSON."""

    items: bytes
    is_any_live: bool


async def stretch(
    db: Database, project_id: UUID, user_id: UUID, prefix: str, wanted: Window, after: str | None
) -> Stretch | None:
    """Return the files after a path, and one more than are wanted."""
    return await db.one_or_none(
        _STRETCHES[wanted.sort],
        Stretch,
        project_id=project_id,
        user_id=user_id,
        prefix=prefix,
        after=after,
        limit=wanted.limit + 1,
    )


class Listed(msgspec.Struct, frozen=True):
    """How many files there are, and a page of them as JSON."""

    total: int
    items: bytes
    is_any_live: bool


async def listed(
    db: Database, project_id: UUID, user_id: UUID, prefix: str, wanted: Window
) -> Listed | None:
    """Return how many files there are below ``prefix``, and a page of them as JSON."""
    return await db.one_or_none(
        _LISTS[wanted.sort],
        Listed,
        project_id=project_id,
        user_id=user_id,
        prefix=prefix,
        limit=wanted.limit,
        offset=wanted.offset,
    )
