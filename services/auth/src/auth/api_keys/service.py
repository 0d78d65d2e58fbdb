"""Keys for machines: ``wl_<id>_<secret>``, of which only a hash is kept."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from auth.api_keys import repository
from auth.api_keys.repository import Use
from auth.api_keys.schema import ApiKey, CreatedApiKey, NewApiKey, Status
from auth.secrets import digest, fresh
from auth.settings import Settings
from common.caller import Caller
from common.database import Database, Queries
from common.errors import (
    Detail,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from common.ids import uuid7

_PREFIX = "wl"
_PARTS = 3


async def create(db: Database, settings: Settings, caller: Caller, new: NewApiKey) -> CreatedApiKey:
    """Make a key for the caller; raises ``InvalidError`` with each fault."""
    if not caller.session_id:
        raise UnauthenticatedError("A key is made by a session.")
    faults = [*_expiry_faults(new.expires_at), *_network_faults(new.networks)]
    if faults:
        raise InvalidError("The request is not valid.", *faults)
    key_id, secret = uuid7(), fresh()
    limit = settings.api_keys_per_account_max
    wanted = msgspec.structs.replace(new, scopes=sorted(set(new.scopes)))
    session_id = UUID(caller.session_id)
    kept = await repository.create(
        db, key_id, caller.user_id, session_id, digest(secret), wanted, limit
    )
    if kept is None:
        if await repository.count(db, caller.user_id) < limit:
            raise UnauthenticatedError("The session is over: log in again.")
        raise ForbiddenError("You have as many keys as you may.", {"limit": limit})
    whole = f"{_PREFIX}_{key_id.hex}_{secret}"
    return CreatedApiKey(key=whole, **msgspec.structs.asdict(kept))


def _expiry_faults(expires_at: datetime | None) -> Iterator[Detail]:
    if expires_at is None:
        return
    try:
        moment = expires_at.astimezone(UTC)
    except OverflowError:
        yield {"field": "expiresAt", "message": "There is no such time."}
        return
    if moment <= datetime.now(UTC):
        yield {"field": "expiresAt", "message": "This is in the past."}


def _network_faults(networks: list[str]) -> Iterator[Detail]:
    for text in networks:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            message = f"{text!r} is no network such as 192.0.2.0/24."
            yield {"field": "networks", "message": message}


async def index(db: Database, caller: Caller) -> list[ApiKey]:
    """Return the caller's keys."""
    return await repository.listed(db, caller.user_id)


async def revoke(db: Database, caller: Caller, key_id: UUID) -> None:
    """Let one of the caller's keys be good no more."""
    if not await repository.revoke(db, caller.user_id, key_id):
        raise NotFoundError("There is no such key.")


async def end_all(tx: Queries, account_id: UUID, actor_id: UUID | None = None) -> None:
    """Revoke all keys of an account; its owner does, unless ``actor_id`` is another.

    Inside a transaction that has ended the sessions first, none is made meanwhile.
    """
    await repository.end(tx, account_id, actor_id or account_id)


async def introspect(db: Database, caller: Caller, key: str) -> Status:
    """Look at one of the caller's keys."""
    parts = _parts(key)
    found = await repository.find(db, caller.user_id, *parts) if parts else None
    if found is None:
        return Status(active=False, key=None)
    expired = found.expires_at is not None and found.expires_at <= datetime.now(UTC)
    return Status(active=found.revoked_at is None and not expired, key=found)


async def use(db: Database, settings: Settings, key: str, address: str) -> Use:
    """Return whom a key stands for; for the gateway, not for callers.

    Raises ``UnauthenticatedError``, and ``ForbiddenError`` for an address that it is not for.
    """
    parts = _parts(key)
    step_s = settings.api_key_used_step_s
    found = await repository.use(db, step_s, *parts) if parts else None
    if found is None:
        raise UnauthenticatedError("This API key is not good.")
    if found.networks and not _is_inside(address, found.networks):
        raise ForbiddenError("This API key is not for your address.")
    return found


def _parts(key: str) -> tuple[UUID, bytes] | None:
    parts = key.split("_", _PARTS - 1)
    if len(parts) != _PARTS or parts[0] != _PREFIX:
        return None
    try:
        return UUID(hex=parts[1]), digest(parts[2])
    except ValueError:
        return None


def _is_inside(address: str, networks: list[str]) -> bool:
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(here in ipaddress.ip_network(network) for network in networks)
