"""The SQL of projects: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from common.contracts.access import Access
from common.contracts.base import Event
from common.database import Database, Queries
from common.outbox import announced, announcing
from common.sharing import Shared
from common.statements import encoded, keys
from projects.lifecycle.schema import NewProject
from projects.permissions import is_disabled, is_visible, membership
from projects.shapes import ROLE, project_info
from projects.tables import MemberRow, ProjectRow

_P = ProjectRow
_K = keys(project_id=sa.Uuid(), user_id=sa.Uuid())
_SHOW = Shared(
    sa.select(_K.c.i, encoded(project_info(ROLE)))
    .select_from(_K)
    .join(_P, _P.id == _K.c.project_id)
    .outerjoin(MemberRow, membership(_K.c.user_id))
    .where(is_visible()),
    ["project_id", "user_id"],
    lanes=1,
)
_COUNT = (
    sa.select(sa.func.count())
    .select_from(_P)
    .where(_P.owner_id == bindparam("user_id", type_=sa.Uuid), _P.deleted_at.is_(None))
)
_THIS = aliased(_P)
_OWNER = sa.select(_THIS.owner_id).where(_THIS.id == bindparam("project_id", type_=sa.Uuid))
_COUNT_BESIDE = (
    sa.select(sa.func.count())
    .select_from(_P)
    .where(_P.owner_id == _OWNER.scalar_subquery(), _P.deleted_at.is_(None))
)
_NEW = (
    sa.insert(_P)
    .from_select(
        [
            "id",
            "owner_id",
            "name",
            "description",
            "thumbnail_url",
            "is_public",
            "settings",
            "forked_from",
        ],
        sa.select(
            bindparam("id", type_=sa.Uuid),
            bindparam("user_id", type_=sa.Uuid),
            bindparam("name", type_=sa.Text),
            bindparam("description", type_=sa.Text),
            bindparam("thumbnail_url", type_=sa.Text),
            bindparam("is_public", type_=sa.Boolean),
            bindparam("settings", type_=JSONB),
            bindparam("forked_from", type_=sa.Uuid),
        ).where(
            _COUNT.scalar_subquery() < bindparam("count_max", type_=sa.BigInteger),
        ),
    )
    .returning(
        encoded(project_info(sa.literal_column("'owner'"))).label("body"), _P.id, _P.owner_id
    )
)


def _owner_of(written: sa.CTE) -> sa.CTE:
    owner = sa.select(
        written.c.id,
        written.c.owner_id,
        sa.literal_column("'owner'"),
    )
    columns = ["project_id", "user_id", "role"]
    return sa.insert(MemberRow).from_select(columns, owner).cte("member_added")


_CREATE = announcing(_NEW, _owner_of)
_LOCK = (
    sa.select(MemberRow.role, _P.name, _P.is_public)
    .select_from(_P)
    .outerjoin(MemberRow, membership(bindparam("user_id", type_=sa.Uuid)))
    .where(_P.id == bindparam("project_id", type_=sa.Uuid), is_visible())
    # a file's foreign key may still look at the row: writers of files do not wait for one another
    .with_for_update(of=_P, key_share=True)
)
_UPDATE = (
    sa.update(_P)
    .where(_P.id == bindparam("project_id", type_=sa.Uuid))
    .values(
        name=sa.func.coalesce(bindparam("name", type_=sa.Text), _P.name),
        description=sa.func.coalesce(bindparam("description", type_=sa.Text), _P.description),
        thumbnail_url=sa.case(
            (bindparam("has_thumbnail", type_=sa.Boolean), bindparam("thumbnail", type_=sa.Text)),
            else_=_P.thumbnail_url,
        ),
        is_public=sa.func.coalesce(bindparam("is_public", type_=sa.Boolean), _P.is_public),
        settings=sa.case(
            (bindparam("replaces", type_=sa.Boolean), bindparam("settings", type_=JSONB)),
            else_=_P.settings.op("||")(bindparam("settings", type_=JSONB)),
        ),
        updated_at=sa.func.now(),
    )
    .returning(
        encoded(project_info(bindparam("role", type_=sa.Text))).label("body"), _P.name, _P.is_public
    )
)
_TRASH = (
    sa.update(_P)
    .where(_P.id == bindparam("project_id", type_=sa.Uuid), _P.deleted_at.is_(None))
    .values(deleted_at=sa.func.now())
    .returning(_P.name)
)
_VERSION = (
    sa.update(_P)
    .where(_P.id == bindparam("project_id", type_=sa.Uuid))
    .values(access_version=_P.access_version + 1)
    .returning(_P.access_version)
)
_ACCESS = sa.select(
    _P.id,
    _P.access_version,
    _P.is_public,
    _P.deleted_at.is_not(None),
    sa.func.coalesce(
        sa.select(sa.func.jsonb_object_agg(MemberRow.user_id, MemberRow.role, type_=JSONB))
        .where(MemberRow.project_id == _P.id, ~is_disabled())
        .scalar_subquery(),
        sa.literal_column("'{}'::jsonb", JSONB),
    ),
).where(_P.id == bindparam("project_id", type_=sa.Uuid))


class Locked(msgspec.Struct, frozen=True):
    """A project that this transaction holds, and the caller's role, if any."""

    role: str | None
    name: str
    is_public: bool


class Updated(msgspec.Struct, frozen=True):
    """What an update left."""

    body: bytes
    name: str
    is_public: bool


async def show(db: Database, project_id: UUID, user_id: UUID) -> bytes | None:
    """Return the project as JSON, if the user may see it."""
    row = await db.shared(_SHOW, project_id=project_id, user_id=user_id)
    return None if row is None else row[0]


async def create(
    db: Queries,
    project_id: UUID,
    user_id: UUID,
    new: NewProject,
    forked_from: UUID | None,
    count_max: int,
    *events: tuple[Event, UUID],
) -> bytes | None:
    """Store a project with its owner and announce it; ``None`` where the user has enough."""
    first, *rest = events
    return await db.one_or_none(
        _CREATE,
        _body,
        id=project_id,
        user_id=user_id,
        count_max=count_max,
        forked_from=forked_from,
        **msgspec.structs.asdict(new),
        **announced(*first, *rest),
    )


def _body(body: bytes, _: UUID, __: UUID) -> bytes:
    return body


async def count(db: Queries, user_id: UUID) -> int:
    """Return how many projects count as the user's."""
    return await db.one(_COUNT, int, user_id=user_id)


async def count_beside(db: Queries, project_id: UUID) -> int:
    """Return how many projects count as those of whoever a project counts for."""
    return await db.one(_COUNT_BESIDE, int, project_id=project_id)


async def lock(db: Queries, project_id: UUID, user_id: UUID) -> Locked | None:
    """Hold the project until the transaction ends, if the user may see it."""
    return await db.one_or_none(_LOCK, Locked, project_id=project_id, user_id=user_id)


async def update(db: Queries, project_id: UUID, **values: object) -> Updated:
    """Change a locked project; a value of NULL stays as it is."""
    return await db.one(_UPDATE, Updated, project_id=project_id, **values)


async def trash(db: Queries, project_id: UUID) -> str | None:
    """Put a locked project into the trash; return its name, ``None`` where it is there already."""
    return await db.one_or_none(_TRASH, str, project_id=project_id)


async def next_access(db: Queries, project_id: UUID) -> Access:
    """Count a change of who may do what, and return how it stands."""
    await db.run(_VERSION, project_id=project_id)
    return await db.one(_ACCESS, Access, project_id=project_id)


async def access(db: Queries, project_id: UUID) -> Access | None:
    """Return who may do what with a project, in the trash or not."""
    return await db.one_or_none(_ACCESS, Access, project_id=project_id)
