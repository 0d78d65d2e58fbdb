"""What members of a project may do among themselves; a public project's readers are none."""

from collections.abc import Collection
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from common.access import AccessRow, Ask, learn
from common.database import Queries
from common.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)

ROLES = ("owner", "editor", "commenter", "viewer")
TALKERS = ("owner", "editor", "commenter")
WRITERS = ("owner", "editor")
_NO_PROJECT = "There is no such project."
_USER = sa.bindparam("user_id", type_=sa.Text)
_NAMED = sa.bindparam("named", type_=ARRAY(sa.Text))
_STANDING = sa.select(
    AccessRow.is_deleted,
    AccessRow.is_public,
    AccessRow.roles[_USER].astext,
    AccessRow.roles.has_all(_NAMED),
).where(AccessRow.resource_id == sa.bindparam("project_id", type_=sa.Uuid))


class Standing(msgspec.Struct, frozen=True):
    """How somebody stands to a project, and whether all who are named are its members."""

    is_deleted: bool
    is_public: bool
    role: str | None
    knows_all: bool

    @property
    def is_visible(self) -> bool:
        """Whether the project is one that this user may know of."""
        return not self.is_deleted and (self.is_public or self.role is not None)


async def member(
    db: Queries,
    ask: Ask,
    project_id: UUID,
    user_id: UUID,
    needs: Collection[str] = ROLES,
    named: Collection[UUID] = (),
) -> str:
    """Return the member's role, one of those that it ``needs``.

    Nobody is refused because the news of them is still on the way: the owner of roles is asked.
    Raises ``NotFoundError`` for who may not know of the project, ``ForbiddenError`` for who is no
    member or has another role, ``InvalidError`` where somebody who is ``named`` is no member.
    """
    found = await _standing(db, project_id, user_id, named)
    if _problem(found, needs) is not None:
        found = await _renewed(db, ask, project_id, user_id, named) or found
    problem = _problem(found, needs)
    if problem is not None or found is None or found.role is None:
        raise problem or NotFoundError(_NO_PROJECT)
    return found.role


def _problem(found: Standing | None, needs: Collection[str]) -> ServiceError | None:
    if found is None or not found.is_visible:
        return NotFoundError(_NO_PROJECT)
    if found.role not in needs:
        return ForbiddenError("Your role does not allow this.", {"needs": list(needs)})
    if not found.knows_all:
        return InvalidError.of("mentions", "Only members of the project can be mentioned.")
    return None


async def check_reader(db: Queries, ask: Ask, project_id: UUID, user_id: UUID) -> None:
    """Raise ``NotFoundError`` for who may not know of the project."""
    found = await _standing(db, project_id, user_id, ())
    if found is None or not found.is_visible:
        found = await _renewed(db, ask, project_id, user_id, ())
    if found is None or not found.is_visible:
        raise NotFoundError(_NO_PROJECT)


async def _renewed(
    db: Queries, ask: Ask, project_id: UUID, user_id: UUID, named: Collection[UUID]
) -> Standing | None:
    try:
        access = await ask(project_id)
    except UnavailableError:
        return None
    if access is None:
        return None
    await learn(db, access)
    return await _standing(db, project_id, user_id, named)


async def _standing(
    db: Queries, project_id: UUID, user_id: UUID, named: Collection[UUID]
) -> Standing | None:
    return await db.one_or_none(
        _STANDING,
        Standing,
        project_id=project_id,
        user_id=str(user_id),
        named=[str(one) for one in named],
    )
