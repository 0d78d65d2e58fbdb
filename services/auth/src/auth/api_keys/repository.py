"""The SQL of keys for machines: statements above, the functions that run them below."""

from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from auth.api_keys.schema import ApiKey, NewApiKey
from auth.auditing import note, noted, noting
from auth.tables import AccountRow, ApiKeyRow, SessionRow
from common.contracts.auth import ApiKeyCreated, ApiKeyRevoked
from common.database import Database, Queries
from common.errors import UnauthenticatedError
from common.outbox import announce, announced, announcing
from common.statements import document

_K = ApiKeyRow
_COLUMNS = (
    _K.id,
    _K.name,
    _K.scopes,
    _K.project_id,
    _K.networks,
    _K.created_at,
    _K.last_used_at,
    _K.expires_at,
    _K.revoked_at,
)
_ACCOUNT = bindparam("account_id", type_=sa.Uuid)
_COUNT = sa.select(sa.func.count()).where(_K.account_id == _ACCOUNT, _K.revoked_at.is_(None))
# keys that are made at once are counted one after another
_TURN = sa.select(AccountRow.id).where(AccountRow.id == _ACCOUNT).with_for_update(key_share=True)
# whoever ends the session waits for the key, and finds it; whoever comes after gets none
_OF_SESSION = (
    sa.select(SessionRow.account_id)
    .where(
        SessionRow.id == bindparam("session_id", type_=sa.Uuid),
        SessionRow.account_id == _ACCOUNT,
        SessionRow.revoked_at.is_(None),
        SessionRow.expires_at > sa.func.now(),
    )
    .with_for_update(read=True)
    .cte("of_session")
)
_NEW = sa.select(
    bindparam("id", type_=sa.Uuid),
    _OF_SESSION.c.account_id,
    bindparam("name", type_=sa.Text),
    bindparam("hash", type_=sa.LargeBinary),
    bindparam("scopes", type_=ARRAY(sa.Text)),
    bindparam("project_id", type_=sa.Uuid),
    bindparam("networks", type_=ARRAY(sa.Text)),
    bindparam("expires_at", type_=sa.DateTime(timezone=True)),
).where(_COUNT.scalar_subquery() < bindparam("count_max", type_=sa.BigInteger))
_CREATE = announcing(
    sa.insert(_K)
    .from_select(
        ["id", "account_id", "name", "hash", "scopes", "project_id", "networks", "expires_at"], _NEW
    )
    .returning(*_COLUMNS),
    noting(),
)
_END = (
    sa.update(_K)
    .where(_K.account_id == _ACCOUNT, _K.revoked_at.is_(None))
    .values(revoked_at=sa.func.now())
    .returning(_K.id, document(name=_K.name, scopes=_K.scopes))
)
_LIST = sa.select(*_COLUMNS).where(_K.account_id == _ACCOUNT).order_by(_K.created_at.desc(), _K.id)
_REVOKE = announcing(
    sa.update(_K)
    .where(_K.id == bindparam("key_id", type_=sa.Uuid), _K.account_id == _ACCOUNT)
    .where(_K.revoked_at.is_(None))
    .values(revoked_at=sa.func.now())
    .returning(_K.id, document(name=_K.name, scopes=_K.scopes).label("before")),
    noting(before="before"),
)
_GOOD = (
    sa.select(_K.id, _K.account_id, AccountRow.role, _K.scopes, _K.project_id, _K.networks)
    .join(AccountRow, AccountRow.id == _K.account_id)
    .where(
        _K.id == bindparam("key_id", type_=sa.Uuid),
        _K.hash == bindparam("hash", type_=sa.LargeBinary),
        _K.revoked_at.is_(None),
        _K.expires_at.is_(None) | (_K.expires_at > sa.func.now()),
        ~AccountRow.is_disabled,
    )
    .cte("good")
)
_STEP = sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("step_s", type_=sa.BigInteger))
# requests that come at once do not wait for one another to write the same
_STALE = (
    sa.select(_K.id)
    .join(_GOOD, _GOOD.c.id == _K.id)
    .where(_K.last_used_at.is_(None) | (_K.last_used_at < sa.func.now() - _STEP))
    .with_for_update(of=_K, skip_locked=True)
)
_MARKED = sa.update(_K).where(_K.id.in_(_STALE)).values(last_used_at=sa.func.now()).cte("marked")
_USE = sa.select(
    _GOOD.c.account_id, _GOOD.c.role, _GOOD.c.scopes, _GOOD.c.project_id, _GOOD.c.networks
).add_cte(_MARKED)
_FIND = sa.select(*_COLUMNS).where(
    _K.id == bindparam("key_id", type_=sa.Uuid),
    _K.hash == bindparam("hash", type_=sa.LargeBinary),
    _K.account_id == _ACCOUNT,
)


class Use(msgspec.Struct, frozen=True):
    """Whom a good key stands for, and how far it goes."""

    account_id: UUID
    role: str
    scopes: list[str]
    project_id: UUID | None
    networks: list[str]


async def create(
    db: Database,
    key_id: UUID,
    account_id: UUID,
    session_id: UUID,
    key_hash: bytes,
    new: NewApiKey,
    count_max: int,
) -> ApiKey | None:
    """Keep a key and announce it; ``None`` where there are enough, or the session is over."""
    event = ApiKeyCreated(user_id=account_id, key_id=key_id, name=new.name)
    try:
        async with db.transaction() as tx:
            await tx.run(_TURN, account_id=account_id)
            return await tx.one_or_none(
                _CREATE,
                ApiKey,
                id=key_id,
                account_id=account_id,
                session_id=session_id,
                hash=key_hash,
                count_max=count_max,
                **msgspec.structs.asdict(new),
                **announced(event, account_id),
                **noted("api_key.created", account_id, account_id, keyId=key_id, after=new),
            )
    except asyncpg.ForeignKeyViolationError as exc:
        raise UnauthenticatedError("The account is not there any more.") from exc


async def listed(db: Database, account_id: UUID) -> list[ApiKey]:
    """Return the account's keys, the newest first."""
    return await db.all(_LIST, ApiKey, account_id=account_id)


async def revoke(db: Database, account_id: UUID, key_id: UUID) -> bool:
    """Let a key be good no more; false where it was not a good one of the account."""
    event = ApiKeyRevoked(user_id=account_id, key_id=key_id)
    revoked = await db.one_or_none(
        _REVOKE,
        _first,
        key_id=key_id,
        account_id=account_id,
        **announced(event, account_id),
        **noted("api_key.revoked", account_id, account_id, keyId=key_id),
    )
    return revoked is not None


def _first(key_id: UUID, _: object) -> UUID:
    return key_id


async def count(db: Database, account_id: UUID) -> int:
    """Return how many good keys the account has."""
    return await db.one(_COUNT, _same, account_id=account_id)


def _same(number: int) -> int:
    return number


async def end(tx: Queries, account_id: UUID, actor_id: UUID) -> None:
    """Let no key of the account be good any more; announce and note each."""
    for key_id, before in await tx.all(_END, _pair, account_id=account_id):
        await announce(tx, ApiKeyRevoked(user_id=account_id, key_id=key_id), account_id)
        details = {"keyId": key_id, "before": before}
        await note(tx, "api_key.revoked", account_id, actor_id, **details)


def _pair(key_id: UUID, before: object) -> tuple[UUID, object]:
    return key_id, before


async def use(db: Database, step_s: int, key_id: UUID, key_hash: bytes) -> Use | None:
    """Return whom a key stands for, if it is good, and remember about when it was used."""
    return await db.one_or_none(_USE, Use, step_s=step_s, key_id=key_id, hash=key_hash)


async def find(db: Database, account_id: UUID, key_id: UUID, key_hash: bytes) -> ApiKey | None:
    """Return one of the account's keys by what proves it."""
    return await db.one_or_none(_FIND, ApiKey, account_id=account_id, key_id=key_id, hash=key_hash)
