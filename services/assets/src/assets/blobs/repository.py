"""The SQL of blobs: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from assets.blobs.types import Blob
from assets.errors import QuotaExceededError
from assets.tables import NEEDING, BlobRow, LibraryRow
from common.access import AccessRow
from common.database import Queries
from common.ids import uuid7

_B, _L = BlobRow, LibraryRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_SHA256 = bindparam("sha256", type_=sa.Text)
_GENERATION = bindparam("generation", type_=sa.Uuid)
_ONE = sa.and_(_B.project_id == _PROJECT, _B.sha256 == _SHA256)


def _claim() -> "sa.Select[UUID]":
    """Whoever collects the blob holds its row: this waits, and then begins anew."""
    size = bindparam("size", type_=sa.BigInteger)
    asked = sa.select(AccessRow.resource_id, _SHA256, size, _GENERATION).where(
        AccessRow.resource_id == _PROJECT, ~AccessRow.is_deleted
    )
    claimed = (
        insert(_B)
        .from_select(["project_id", "sha256", "size", "generation"], asked)
        .on_conflict_do_update(
            index_elements=[_B.project_id, _B.sha256], set_={"stored_at": sa.func.now()}
        )
        .returning(_B.project_id, _B.size, _B.generation)
        .cte("claimed")
    )
    first = insert(_L).from_select(
        ["project_id", "bytes", "bytes_max"],
        sa.select(
            claimed.c.project_id,
            claimed.c.size,
            bindparam("bytes_max", type_=sa.BigInteger),
        ).where(claimed.c.generation == _GENERATION),
    )
    counted = first.on_conflict_do_update(
        index_elements=[_L.project_id],
        set_={
            "bytes": _L.bytes + first.excluded.bytes,
            "bytes_max": first.excluded.bytes_max,
        },
    )
    return sa.select(claimed.c.generation).add_cte(counted.cte("counted"))


def _age(name: str) -> "sa.ColumnElement[Any]":
    return sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam(name, type_=sa.Double))


_CLAIM = _claim()
_USED = sa.select(_L.bytes).where(_L.project_id == _PROJECT)
_IS_PURGED = (
    sa.exists().where(_L.project_id == _B.project_id, _L.purged_at.is_not(None)).correlate(_B)
)
_IS_OLD = _B.stored_at < sa.func.now() - sa.case(
    (_IS_PURGED, _age("purged_s")), else_=_age("age_s")
)


def _is_loose(*, without: Any = None) -> "sa.ColumnElement[bool]":  # noqa: ANN401 - a parameter
    """Nothing needs the blob, but for assets whose ids are in ``without``.

    Each is asked for by itself: one EXISTS with an OR in it would read whole tables.
    """
    needs = []
    for project_id, sha256, asset_id in NEEDING:
        mine = sa.and_(project_id == _B.project_id, sha256 == _B.sha256)
        if without is not None and asset_id is not None:
            mine = sa.and_(mine, asset_id != sa.all_(without))
        needs.append(sa.exists().where(mine).correlate(_B))
    return sa.and_(*[~need for need in needs])


_IS_LOOSE = _is_loose()
_GARBAGE = (
    sa.select(_B.project_id, _B.sha256, _B.size, _IS_OLD)
    .where(
        _B.project_id == _PROJECT,
        _is_loose(without=bindparam("without", type_=sa.ARRAY(sa.Uuid))),
    )
    .order_by(_B.size.desc(), _B.sha256)
)
_stretch = (
    sa.select(_B.project_id, _B.sha256)
    .where(
        sa.tuple_(_B.project_id, _B.sha256)
        > sa.tuple_(bindparam("after_project", type_=sa.Uuid), bindparam("after", type_=sa.Text))
    )
    .order_by(_B.project_id, _B.sha256)
    .limit(bindparam("limit", type_=sa.BigInteger))
    .subquery("stretch")
)
_STRETCH = (
    sa.select(_B.project_id, _B.sha256, _B.size, sa.and_(_IS_OLD, _IS_LOOSE))
    .join(_stretch, (_stretch.c.project_id == _B.project_id) & (_stretch.c.sha256 == _B.sha256))
    .order_by(_B.project_id, _B.sha256)
)
_HOLD = sa.select(_B.size).where(_ONE, _IS_OLD).with_for_update(skip_locked=True)
_LOOSE = sa.select(_IS_LOOSE).select_from(_B).where(_ONE)
_gone = sa.delete(_B).where(_ONE).returning(_B.project_id, _B.size).cte("gone")
_DROP = (
    sa.update(_L).where(_L.project_id == _gone.c.project_id).values(bytes=_L.bytes - _gone.c.size)
)


async def claim(
    db: Queries, project_id: UUID, sha256: str, size: int, bytes_max: int
) -> UUID | None:
    """Note that an object is about to be put; ``None`` where there is no such project.

    Return the blob's generation: a new one counts. Raises ``QuotaExceededError``.
    """
    given = {"project_id": project_id, "sha256": sha256, "size": size, "bytes_max": bytes_max}
    try:
        return await db.one_or_none(_CLAIM, _same, generation=uuid7(), **given)
    except asyncpg.CheckViolationError as exc:
        raise QuotaExceededError(
            "The project's library would hold more than it may.",
            limit=bytes_max,
            used=await used(db, project_id),
        ) from exc


def _same(generation: UUID) -> UUID:
    return generation


async def used(db: Queries, project_id: UUID) -> int:
    """Return how many bytes a project has."""
    return await db.one_or_none(_USED, int, project_id=project_id) or 0


async def stretch(
    db: Queries, after: tuple[UUID, str], *, age_s: float, purged_s: float, limit: int
) -> list[Blob]:
    """Return the next blobs in the order of their projects and hashes."""
    project_id, sha256 = after
    return await db.all(
        _STRETCH,
        Blob,
        after_project=project_id,
        after=sha256,
        age_s=age_s,
        purged_s=purged_s,
        limit=limit,
    )


async def garbage(
    db: Queries, project_id: UUID, without: list[UUID], *, age_s: float, purged_s: float
) -> list[Blob]:
    """Return a project's blobs that nothing needs but those assets, the largest first."""
    given = {"age_s": age_s, "purged_s": purged_s, "without": without}
    return await db.all(_GARBAGE, Blob, project_id=project_id, **given)


async def hold(tx: Queries, blob: Blob, *, age_s: float, purged_s: float) -> bool:
    """Hold a blob, so that nothing comes to need it and nobody claims it in this transaction.

    False where somebody else holds it, or has claimed it since.
    """
    given = {"project_id": blob.project_id, "sha256": blob.sha256}
    found = await tx.one_or_none(_HOLD, int, age_s=age_s, purged_s=purged_s, **given)
    return found is not None


async def is_loose(tx: Queries, blob: Blob) -> bool:
    """Whether nothing needs a blob that is held."""
    given = {"project_id": blob.project_id, "sha256": blob.sha256}
    return bool(await tx.one_or_none(_LOOSE, bool, **given))


async def drop(tx: Queries, blob: Blob) -> None:
    """Forget a blob, and count its bytes no more."""
    await tx.run(_DROP, project_id=blob.project_id, sha256=blob.sha256)
