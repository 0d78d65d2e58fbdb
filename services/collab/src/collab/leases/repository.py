"""Statements on who holds which project."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collab.leases.schema import Held, Node, Owner
from collab.tables import LeaseRow, NodeRow
from common.database import Queries

_NODE = sa.bindparam("node_id", type_=sa.Uuid)
_PROJECT = sa.bindparam("project_id", type_=sa.Uuid)
_UNTIL = sa.func.now() + sa.bindparam("ttl", type_=sa.Interval)
_NEW_NODE = insert(NodeRow).values(
    id=_NODE,
    host=sa.bindparam("host", type_=sa.Text),
    http_port=sa.bindparam("http_port", type_=sa.BigInteger),
    socket_port=sa.bindparam("socket_port", type_=sa.BigInteger),
    alive_until=_UNTIL,
)
_BEAT = _NEW_NODE.on_conflict_do_update(
    index_elements=[NodeRow.id], set_={"alive_until": _NEW_NODE.excluded.alive_until}
)
_HELD = sa.select(LeaseRow.project_id, LeaseRow.epoch).where(LeaseRow.node_id == _NODE)


async def beat(db: Queries, node: Node, ttl_s: float) -> list[Held]:
    """Say that the node lives for so long; return what it holds."""
    await db.run(
        _BEAT,
        node_id=node.id,
        host=node.host,
        http_port=node.http_port,
        socket_port=node.socket_port,
        ttl=timedelta(seconds=ttl_s),
    )
    return await db.all(_HELD, Held, node_id=node.id)


_OWNER_LIVES = LeaseRow.node_id.in_(
    sa.select(NodeRow.id).where(NodeRow.alive_until > sa.func.now())
)
_NEW_LEASE = insert(LeaseRow).values(project_id=_PROJECT, node_id=_NODE)
_CLAIM = _NEW_LEASE.on_conflict_do_update(
    index_elements=[LeaseRow.project_id],
    set_={"node_id": _NODE, "epoch": LeaseRow.epoch + 1},
    where=sa.or_(
        LeaseRow.node_id.is_(None),
        LeaseRow.node_id == _NODE,
        LeaseRow.epoch == sa.bindparam("broken_epoch", type_=sa.BigInteger),
        ~_OWNER_LIVES,
    ),
).returning(LeaseRow.epoch)
_OWNER = (
    sa.select(LeaseRow.epoch, NodeRow.id, NodeRow.host, NodeRow.http_port, NodeRow.socket_port)
    .join(NodeRow, NodeRow.id == LeaseRow.node_id)
    .where(LeaseRow.project_id == _PROJECT)
)


async def claim(db: Queries, node_id: UUID, project_id: UUID, broken_epoch: int) -> int | None:
    """Take a project that is nobody's, a dead node's, or held since ``broken_epoch``.

    Returns the new epoch; ``None`` where somebody else has it.
    """
    return await db.one_or_none(
        _CLAIM, int, node_id=node_id, project_id=project_id, broken_epoch=broken_epoch
    )


async def owner(db: Queries, project_id: UUID) -> Owner | None:
    """Return who has a project."""
    return await db.one_or_none(_OWNER, Owner, project_id=project_id)


_RELEASE = (
    sa.update(LeaseRow)
    .where(
        LeaseRow.project_id == _PROJECT,
        LeaseRow.node_id == _NODE,
        LeaseRow.epoch == sa.bindparam("epoch", type_=sa.BigInteger),
    )
    .values(node_id=sa.null())
)
_GO = sa.delete(NodeRow).where(NodeRow.id == _NODE)
_FORMER = sa.delete(NodeRow).where(
    NodeRow.host == sa.bindparam("host", type_=sa.Text),
    NodeRow.socket_port == sa.bindparam("socket_port", type_=sa.BigInteger),
    NodeRow.id != _NODE,
)
_LONG_DEAD = sa.delete(NodeRow).where(
    NodeRow.alive_until < sa.func.now() - sa.bindparam("age", type_=sa.Interval)
)
_ORPHANS = (
    sa.select(LeaseRow.project_id)
    .where(LeaseRow.node_id.is_not(None), ~_OWNER_LIVES)
    .order_by(LeaseRow.project_id)
    .limit(sa.bindparam("count_max", type_=sa.BigInteger))
)


async def release(db: Queries, node_id: UUID, project_id: UUID, epoch: int) -> None:
    """Let a project be nobody's."""
    await db.run(_RELEASE, node_id=node_id, project_id=project_id, epoch=epoch)


async def leave(db: Queries, node_id: UUID) -> None:
    """Take a node out of the list: what it still holds anybody may take."""
    await db.run(_GO, node_id=node_id)


async def replace(db: Queries, node: Node) -> None:
    """Forget who was at the node's address before it: two cannot be there."""
    await db.run(_FORMER, host=node.host, socket_port=node.socket_port, node_id=node.id)


async def bury(db: Queries, age_s: float) -> None:
    """Forget the nodes that died so long ago."""
    await db.run(_LONG_DEAD, age=timedelta(seconds=age_s))


_LIVING = sa.select(LeaseRow.project_id, LeaseRow.epoch).where(
    LeaseRow.project_id == sa.any_(sa.bindparam("project_ids", type_=sa.ARRAY(sa.Uuid))),
    _OWNER_LIVES,
)


async def living(db: Queries, project_ids: list[UUID]) -> list[Held]:
    """Return those of some projects whose owners live, and since when they are theirs."""
    return await db.all(_LIVING, Held, project_ids=project_ids)


def _same(project_id: UUID) -> UUID:
    return project_id


async def orphans(db: Queries, count_max: int) -> list[UUID]:
    """Return projects whose owner died without letting go of them."""
    return await db.all(_ORPHANS, _same, count_max=count_max)
