"""What administrators do with the accounts of others.

Whether somebody is one is asked of the database, each time: a token may say what was true before.
"""

from uuid import UUID

from msgspec import UNSET

from auth.accounts import service as accounts
from auth.admin import repository
from auth.admin.repository import Held, Listed
from auth.admin.schema import Account, Changes, Role
from auth.auditing import OPERATOR, note
from auth.sessions import service as sessions
from common.answers import Window
from common.caller import Caller
from common.contracts.auth import UserDisabled, UserEnabled, UserRoleChanged
from common.database import Database, Queries
from common.errors import ConflictError, ForbiddenError, NotFoundError
from common.outbox import announce

_FORBIDDEN = "Only an administrator may do this."
_ABSENT = "There is no such account."


async def index(db: Database, caller: Caller, query: str, wanted: Window) -> Listed:
    """Return a page of all accounts, or of those with ``query`` in their username or e-mail."""
    literal = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = await repository.listed(db, caller.user_id, f"%{literal}%", wanted)
    if not found.is_admin:
        raise ForbiddenError(_FORBIDDEN)
    return found


async def change(db: Database, caller: Caller, account_id: UUID, changes: Changes) -> Account:
    """Give an account another role, disable or enable it."""
    async with db.transaction() as tx:
        before = await _held(tx, caller, account_id)
        role = before.role if changes.role is UNSET else changes.role
        is_disabled = before.is_disabled if changes.disabled is UNSET else changes.disabled
        await repository.change(tx, account_id, role, is_disabled=is_disabled)
        if role != before.role:
            await _role_changed(tx, caller.user_id, before, role)
        if is_disabled != before.is_disabled:
            await _disabled(tx, caller.user_id, account_id, is_disabled=is_disabled)
        return await repository.show(tx, account_id)


async def appoint(db: Database, login: str, role: Role) -> str:
    """Give an account another role by command: somebody has to be the first administrator.

    Returns the role that it had. Raises ``NotFoundError``.
    """
    account_id = (await accounts.name(db, login)).user_id
    async with db.transaction() as tx:
        before = (await repository.hold(tx, account_id, account_id)).get(account_id)
        if before is None:
            raise NotFoundError(_ABSENT)
        if before.role != role:
            await repository.change(tx, account_id, role, is_disabled=before.is_disabled)
            await _role_changed(tx, OPERATOR, before, role)
        return before.role


async def _held(tx: Queries, caller: Caller, account_id: UUID) -> Held:
    held = await repository.hold(tx, caller.user_id, account_id)
    administrator = held.get(caller.user_id)
    if administrator is None or not administrator.is_admin:
        raise ForbiddenError(_FORBIDDEN)
    if account_id == caller.user_id:
        raise ConflictError("An administrator does not change their own account so.")
    if account_id not in held:
        raise NotFoundError(_ABSENT)
    return held[account_id]


async def _role_changed(tx: Queries, actor_id: UUID, before: Held, role: str) -> None:
    account_id = before.id
    details = {"before": {"role": before.role}, "after": {"role": role}}
    await note(tx, "role.changed", account_id, actor_id, **details)
    event = UserRoleChanged(user_id=account_id, actor_id=actor_id, role=role)
    await announce(tx, event, account_id)
    if before.role == "admin":
        # tokens carry the role
        await sessions.end_all(tx, account_id, None, "role_changed", actor_id)


async def _disabled(tx: Queries, actor_id: UUID, account_id: UUID, *, is_disabled: bool) -> None:
    action = "account.disabled" if is_disabled else "account.enabled"
    details = {"before": {"disabled": not is_disabled}, "after": {"disabled": is_disabled}}
    await note(tx, action, account_id, actor_id, **details)
    kind = UserDisabled if is_disabled else UserEnabled
    await announce(tx, kind(user_id=account_id, actor_id=actor_id), account_id)
    if is_disabled:
        await sessions.end_all(tx, account_id, None, "account_disabled", actor_id)
