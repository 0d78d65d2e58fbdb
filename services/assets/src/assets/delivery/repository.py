"""The SQL of delivery: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.delivery.types import Held
from assets.objects.types import Grant
from assets.tables import AssetRow, AssetVersionRow, BlobRow
from common.access import AccessRow, permits
from common.database import Database
from common.sharing import Shared
from common.statements import keys

_A = AssetRow
_V = AssetVersionRow
_ASKED = keys(sha256=sa.Text(), name=sa.Text())
_GRANTED = keys(sha256=sa.Text(), name=sa.Text(), user_id=sa.Text(), project_id=sa.Uuid())


def _held(
    asked: sa.TableValuedAlias, *whose: "sa.SQLColumnExpression[bool]"
) -> "Shared[Any, Any, Any, Any, Any]":
    """For each of those asked for one version with the hash, of now or of the past.

    Of an asset of the name if there is one, else of any, else of a deleted one: the same bytes are
    of two types where two names say so. A part is not run where one before it found something.
    """
    with_hash = (
        sa.select(
            _V.project_id, _V.size, _V.mime_type, AccessRow.is_public, _A.deleted_at.is_not(None)
        )
        .join(_A, _A.id == _V.asset_id)
        .join(AccessRow, AccessRow.resource_id == _V.project_id)
        .where(_V.sha256 == asked.c.sha256, *whose)
        .correlate(asked)
        .limit(1)
    )
    there = with_hash.where(_A.deleted_at.is_(None))
    named = there.where(_A.name == asked.c.name)
    one = sa.union_all(named, there, with_hash).limit(1).lateral("one")
    return Shared(
        sa.select(asked.c.i, *one.c).select_from(asked.join(one, sa.true())),
        [column.name for column in asked.c if column.name != "i"],
        lanes=1,
    )


_PUBLIC = _held(_ASKED, AccessRow.is_public, ~AccessRow.is_deleted)
_OWN = _held(_GRANTED, _V.project_id == _GRANTED.c.project_id, permits(_GRANTED.c.user_id))
_HAS = sa.select(
    sa.exists().where(
        BlobRow.project_id == bindparam("project_id", type_=sa.Uuid),
        BlobRow.sha256 == bindparam("sha256", type_=sa.Text),
    )
)


async def public(db: Database, sha256: str, name: str) -> Held | None:
    """Return what a public project has under the hash."""
    row = await db.shared(_PUBLIC, sha256=sha256, name=name)
    return Held(*row) if row else None


async def granted(db: Database, sha256: str, name: str, grant: Grant) -> Held | None:
    """Return what the grant's project has under the hash, if its user may read there now."""
    row = await db.shared(
        _OWN,
        sha256=sha256,
        name=name,
        user_id=str(grant.user_id),
        project_id=grant.project_id,
    )
    return Held(*row) if row else None


async def has(db: Database, project_id: UUID, sha256: str) -> bool:
    """Whether a project has the bytes."""
    return await db.one(_HAS, bool, project_id=project_id, sha256=sha256)
