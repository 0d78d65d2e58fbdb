"""The SQL of contents: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from common.database import Queries
from common.statements import unnested
from projects.files.types import Content
from projects.tables import BlobRow, LooseBlobRow, ProjectBlobRow

_B, _L, _O = BlobRow, LooseBlobRow, ProjectBlobRow
_HASH = bindparam("hash", type_=sa.Text)
_HASHES = bindparam("hashes", type_=sa.ARRAY(sa.Text))
_new_loose = insert(_L).values(hash=_HASH)
_LOOSEN = _new_loose.on_conflict_do_update(index_elements=[_L.hash], set_={"at": sa.func.now()})
_each = sa.func.unnest(_HASHES).column_valued("each")
_new_loose_ones = insert(_L).from_select(["hash"], sa.select(_each).order_by(_each))
_LOOSEN_ALL = _new_loose_ones.on_conflict_do_update(
    index_elements=[_L.hash], set_={"at": sa.func.now()}
)
_given = unnested(
    "given", {"hash": sa.Text(), "size": sa.BigInteger(), "content": sa.LargeBinary()}
)
_KEEP = (
    insert(_B)
    .from_select(["hash", "size", "content"], sa.select(_given).order_by(_given.c.hash))
    .on_conflict_do_nothing()
)
_LOAD = (
    sa.select(_B.hash, _B.size, _B.content)
    .join(_O, _O.hash == _B.hash)
    .where(_B.hash == sa.any_(_HASHES), _O.project_id == bindparam("project_id", type_=sa.Uuid))
)
_DUE = (
    sa.select(_L.hash)
    .where(_L.at < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("age_s")))
    .order_by(_L.at)
    .limit(bindparam("limit", type_=sa.BigInteger))
    .with_for_update(skip_locked=True)
)
# who comes to have it in this moment is waited for, and wins
_HOLD = sa.select(_B.content.is_(None)).where(_B.hash == _HASH).with_for_update()
_DROP = (
    sa.delete(_B).where(_B.hash == _HASH, ~sa.exists().where(_O.hash == _B.hash)).returning(_B.hash)
)
_TIGHTEN = sa.delete(_L).where(_L.hash == _HASH)


class Blob(msgspec.Struct, frozen=True):
    """Content, or without ``content`` what is known of it: the object store has it."""

    hash: str
    size: int
    content: bytes | None


async def loosen(db: Queries, content_hash: str) -> None:
    """Note that content may be nobody's from now on, unless something comes to have it."""
    await db.run(_LOOSEN, hash=content_hash)


async def loosen_all(db: Queries, hashes: list[str]) -> None:
    """Note the same of many contents, none of them twice."""
    await db.run(_LOOSEN_ALL, hashes=hashes)


async def keep(tx: Queries, contents: list[Content], inline_max: int) -> None:
    """Keep contents, of which the object store has those that are larger than ``inline_max``."""
    await tx.run(
        _KEEP,
        hash=[content.hash for content in contents],
        size=[content.size for content in contents],
        content=[content.data if content.size <= inline_max else None for content in contents],
    )


async def load(db: Queries, project_id: UUID, hashes: list[str]) -> list[Blob]:
    """Return those of the contents that the project has or had."""
    return await db.all(_LOAD, Blob, project_id=project_id, hashes=hashes)


async def due(tx: Queries, age_s: float, limit: int) -> list[str]:
    """Hold contents that have been loose for so long, a few at a time; return their hashes."""
    return await tx.all(_DUE, str, age_s=age_s, limit=limit)


async def hold(tx: Queries, content_hash: str) -> bool | None:
    """Hold content; return whether the object store has it, ``None`` where no row says so."""
    return await tx.one_or_none(_HOLD, bool, hash=content_hash)


async def drop(tx: Queries, content_hash: str) -> bool:
    """Forget content that is held, unless a project has it."""
    return await tx.one_or_none(_DROP, str, hash=content_hash) is not None


async def tighten(tx: Queries, content_hash: str) -> None:
    """It is somebody's, or gone: nothing is loose any more."""
    await tx.run(_TIGHTEN, hash=content_hash)
