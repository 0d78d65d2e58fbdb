"""Who may enter a project, and who says so."""

from datetime import datetime
from uuid import UUID

from common.caller import Caller
from common.contracts.projects import MemberAdded, MemberChanged, MemberRemoved
from common.database import Database, Queries
from common.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from common.outbox import announce
from projects.errors import LastOwnerError, QuotaExceededError
from projects.lifecycle import service as lifecycle
from projects.members import repository
from projects.members.schema import Member, NewMember, Somebody
from projects.peers import Account, Peers
from projects.permissions import OWNERS, ROLES
from projects.settings import Settings

_NOBODY = "There is no such member."


async def index(db: Database, caller: Caller, project_id: UUID) -> list[Member]:
    """Return the members; they see one another, others do not see them."""
    found = await repository.listed(db, project_id, caller.user_id)
    if not found:
        raise NotFoundError("There is no such project.")
    return found


async def add(
    db: Database, settings: Settings, peers: Peers, caller: Caller, project_id: UUID, new: NewMember
) -> Member:
    """Let somebody in."""
    account = await _account(db, peers, caller, project_id, new)
    async with db.transaction() as tx:
        await repository.hold_account(tx, account.user_id)
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        return await _let_in(tx, settings, caller, project_id, account, new.role)


async def _let_in(
    tx: Queries, settings: Settings, caller: Caller, project_id: UUID, account: Account, role: str
) -> Member:
    """Let somebody into a project that this transaction holds."""
    members, _ = await repository.counts(tx, project_id)
    if members >= settings.members_per_project_max:
        limit = settings.members_per_project_max
        message = "The project has as many members as it may."
        raise QuotaExceededError(message, limit=limit, used=members)
    member = await repository.add(
        tx, project_id, account.user_id, role, account.username, account.display_name
    )
    if member is None:
        raise ConflictError("They are a member already.")
    event = MemberAdded(
        project_id=project_id,
        user_id=account.user_id,
        actor_id=caller.user_id,
        address=caller.address,
        role=role,
    )
    await announce(tx, event, project_id)
    await lifecycle.announce_access(tx, project_id)
    return member


async def hold_account(tx: Queries, user_id: UUID) -> None:
    """Be the only one who lets somebody in, or hears whether they may be; before any project."""
    await repository.hold_account(tx, user_id)


async def is_in(tx: Queries, project_id: UUID, user_id: UUID) -> bool:
    """Whether somebody is a member."""
    return await repository.one(tx, project_id, user_id) is not None


async def come(
    tx: Queries, settings: Settings, caller: Caller, project_id: UUID, account: Account, role: str
) -> None:
    """Let an invited account, which this transaction holds too, into a project that it holds.

    Who is in already stays what they are, unless they become more by it.
    """
    before = await repository.one(tx, project_id, account.user_id)
    if before is None:
        await _let_in(tx, settings, caller, project_id, account, role)
    elif _is_stronger(role, before.role):
        await _promote(tx, caller, project_id, before, role)
        await lifecycle.announce_access(tx, project_id)


def _is_stronger(role: str, than: str) -> bool:
    """Whether a role allows more than another: they are listed from the strongest down."""
    order: list[str] = [*ROLES]
    return order.index(role) < order.index(than)


async def _account(
    db: Database, peers: Peers, caller: Caller, project_id: UUID, who: Somebody
) -> Account:
    """Ask auth whom an owner means; nothing is held while another service thinks."""
    if (who.login is None) == (who.user_id is None):
        raise InvalidError.of("login", "Name a login or a userId, one of them.")
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
    account = await peers.account(str(who.user_id) if who.login is None else who.login)
    if account is None:
        raise InvalidError.of(_named_by(who), "There is no such account.")
    return account


def _named_by(who: Somebody) -> str:
    return "userId" if who.login is None else "login"


async def transfer(
    db: Database, settings: Settings, peers: Peers, caller: Caller, project_id: UUID, to: Somebody
) -> bytes:
    """Let another member own the project, the caller be its editor; return it as JSON.

    Raises ``InvalidError`` where they are no member, and ``QuotaExceededError`` where they own
    as many projects as they may.
    """
    account = await _account(db, peers, caller, project_id, to)
    if account.user_id == caller.user_id:
        raise InvalidError.of(_named_by(to), "The project is yours already.")
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        theirs = await repository.one(tx, project_id, account.user_id)
        mine = await _member(tx, project_id, caller.user_id)
        if theirs is None:
            raise InvalidError.of(_named_by(to), "They are no member of the project.")
        limit = settings.projects_per_user_max
        if not await repository.hand_over(tx, project_id, account.user_id, limit):
            used = await lifecycle.owned(tx, account.user_id)
            message = "They have as many projects as they may."
            raise QuotaExceededError(message, limit=limit, used=used)
        await _promote(tx, caller, project_id, theirs, "owner")
        await _promote(tx, caller, project_id, mine, "editor")
        await lifecycle.announce_access(tx, project_id)
    return await lifecycle.show(db, caller, project_id)


async def promote(
    db: Database, caller: Caller, project_id: UUID, user_id: UUID, role: str
) -> Member:
    """Give a member another role."""
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        before = await _member(tx, project_id, user_id)
        if before.role == "owner" and role != "owner":
            await _keep_an_owner(tx, project_id)
        after = await _promote(tx, caller, project_id, before, role)
        await lifecycle.announce_access(tx, project_id)
        return after


async def _promote(
    tx: Queries, caller: Caller, project_id: UUID, before: Member, role: str
) -> Member:
    """Give a member another role, and say so, even where it is the same."""
    after = await repository.promote(tx, project_id, before.user_id, role)
    event = MemberChanged(
        project_id=project_id,
        user_id=before.user_id,
        actor_id=caller.user_id,
        address=caller.address,
        role=role,
        previous_role=before.role,
    )
    await announce(tx, event, project_id)
    return after


async def remove(db: Database, caller: Caller, project_id: UUID, user_id: UUID) -> None:
    """Take a member out; anybody may leave."""
    async with db.transaction() as tx:
        held = await lifecycle.held_for(tx, caller, project_id, ROLES)
        if held.role != "owner" and user_id != caller.user_id:
            raise ForbiddenError("Only an owner takes others out.")
        member = await _member(tx, project_id, user_id)
        if member.role == "owner":
            await _keep_an_owner(tx, project_id)
        await _remove(tx, caller, project_id, member)


async def learn(
    tx: Queries, user_id: UUID, username: str, display_name: str, told_at: datetime
) -> None:
    """Remember what an account is called, for its projects' lists of members."""
    await repository.learn(tx, user_id, username, display_name, told_at)


async def mark(tx: Queries, user_id: UUID, told_at: datetime, *, is_disabled: bool) -> None:
    """Remember whether an account is disabled, and tell who may do what in its projects now."""
    await repository.hold_account(tx, user_id)
    if await repository.mark(tx, user_id, told_at, is_disabled=is_disabled):
        for project_id in await repository.hold_all(tx, user_id):
            await lifecycle.announce_access(tx, project_id)


async def forget(tx: Queries, user_id: UUID) -> None:
    """Let an account that is gone leave every project; those that nobody else owns go too."""
    gone = Caller(user_id=user_id)
    await repository.forget(tx, user_id)
    for project_id in await repository.hold_all(tx, user_id):
        member = await repository.one(tx, project_id, user_id)
        _, owners = await repository.counts(tx, project_id)
        if member is not None and member.role == "owner" and owners == 1:
            await lifecycle.trash_held(tx, gone, project_id)
        elif member is not None:
            await _remove(tx, gone, project_id, member)


async def _remove(tx: Queries, caller: Caller, project_id: UUID, member: Member) -> None:
    await repository.remove(tx, project_id, member.user_id)
    event = MemberRemoved(
        project_id=project_id,
        user_id=member.user_id,
        actor_id=caller.user_id,
        address=caller.address,
        previous_role=member.role,
    )
    await announce(tx, event, project_id)
    await lifecycle.announce_access(tx, project_id)


async def _member(tx: Queries, project_id: UUID, user_id: UUID) -> Member:
    member = await repository.one(tx, project_id, user_id)
    if member is None:
        raise NotFoundError(_NOBODY)
    return member


async def _keep_an_owner(tx: Queries, project_id: UUID) -> None:
    _, owners = await repository.counts(tx, project_id)
    if owners <= 1:
        raise LastOwnerError("A project keeps at least one owner.")
