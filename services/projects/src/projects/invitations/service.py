"""Who is invited to a project by e-mail, and how they come in."""

from uuid import UUID

from common.caller import Caller
from common.database import Database
from common.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from projects.errors import GoneError, QuotaExceededError, TooManyMailsError
from projects.invitations import repository
from projects.invitations.schema import Invitation, NewInvitation
from projects.lifecycle import service as lifecycle
from projects.means import Means
from projects.members import service as members
from projects.peers import Account, InvitationMail, Peers
from projects.permissions import OWNERS
from projects.settings import Settings
from projects.tokens import digest, fresh

_NONE = "There is no such invitation."


async def index(db: Database, caller: Caller, project_id: UUID) -> list[Invitation]:
    """Return the invitations that nobody has accepted yet."""
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        return await repository.listed(tx, project_id)


async def invite(
    db: Database,
    settings: Settings,
    peers: Peers,
    caller: Caller,
    project_id: UUID,
    new: NewInvitation,
) -> Invitation:
    """Invite somebody by e-mail, or again: then the token, role and end are the new ones.

    Raises ``UnavailableError`` and ``TooManyMailsError`` where no mail leaves: the invitation
    stays, and who invites again has it sent.
    """
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
    account = await _known(peers, new.email)
    token, folded = fresh(), new.email.casefold()
    async with db.transaction() as tx:
        held = await lifecycle.held_for(tx, caller, project_id, OWNERS)
        if account is not None and await members.is_in(tx, project_id, account.user_id):
            raise ConflictError("They are a member already.")
        limit = settings.invitations_per_project_max
        used = await repository.others(tx, project_id, folded)
        if used >= limit:
            raise QuotaExceededError("There are enough open invitations.", limit=limit, used=used)
        made = await repository.put(
            tx,
            project_id,
            caller.user_id,
            new,
            folded,
            digest(token),
            settings.invitation_lifetime_s,
        )
    # nobody waits for a project while another service thinks
    mail = InvitationMail(
        email=new.email,
        project_name=held.name,
        invited_by=caller.user_id,
        token=token,
        lifetime_s=settings.invitation_lifetime_s,
    )
    if not await peers.invite(mail):
        raise TooManyMailsError
    return made


async def _known(peers: Peers, email: str) -> Account | None:
    """Whose address it is, if auth says so; who is a member keeps the stronger role anyway."""
    try:
        return await peers.account(email)
    except UnavailableError:
        return None


async def revoke(db: Database, caller: Caller, project_id: UUID, invitation_id: UUID) -> None:
    """Let an invitation be good no more."""
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, OWNERS)
        if not await repository.revoke(tx, project_id, invitation_id):
            raise NotFoundError(_NONE)


async def sweep(means: Means) -> int:
    """Forget some invitations that have long been too late, with their addresses; say how many."""
    settings = means.settings
    return await repository.sweep(means.db, settings.invitation_lifetime_s, settings.sweep_rows_max)


async def accept(
    db: Database, settings: Settings, peers: Peers, caller: Caller, token: str
) -> bytes:
    """Come in by an invitation to the caller's own address; return the project as JSON.

    Raises ``NotFoundError``, ``GoneError`` where it is too late, ``ForbiddenError`` for anybody but
    whom it is for, and ``QuotaExceededError`` where the project is full.
    """
    token_hash = digest(token)
    found = await repository.offer(db, token_hash)
    if found is None:
        raise NotFoundError(_NONE)
    if found.is_expired:
        raise GoneError("The invitation has expired: ask for another one.")
    account = await _invited(peers, caller, found.email)
    async with db.transaction() as tx:
        await members.hold_account(tx, caller.user_id)
        is_there = await repository.hold(tx, found.project_id)
        role = await repository.take(tx, found.project_id, token_hash) if is_there else None
        if role is None:
            raise NotFoundError(_NONE)
        await members.come(tx, settings, caller, found.project_id, account, role)
    return await lifecycle.show(db, caller, found.project_id)


async def _invited(peers: Peers, caller: Caller, email: str) -> Account:
    """The caller's account, if the address is known to be theirs."""
    claimant = await peers.claimant(caller.user_id, email)
    if claimant is None or not claimant.is_theirs:
        raise ForbiddenError("The invitation is for another address, or you have not verified it.")
    return Account(caller.user_id, claimant.username, claimant.display_name)
