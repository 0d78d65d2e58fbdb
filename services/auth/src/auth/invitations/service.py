"""The part of an invitation that only this service can do: its mail, and whose address it is."""

from auth.accounts import service as accounts
from auth.invitations import repository
from auth.invitations.schema import Claim, Claimant, Invitation, Sending
from auth.mail import service as mail
from auth.mail.types import Postbox
from common.database import Database
from common.errors import NotFoundError


async def send(db: Database, post: Postbox, wanted: Invitation) -> Sending:
    """Let a mail bring somebody their invitation, unless their address got enough of them.

    It names the inviter by their username, which nobody can make look like anything else.
    """
    inviter = await accounts.name(db, str(wanted.invited_by))
    is_welcome = await mail.invite(
        db,
        post,
        wanted.email,
        wanted.token,
        wanted.lifetime_s,
        by=inviter.username,
        project=wanted.project_name,
    )
    return Sending(is_welcome)


async def claimant(db: Database, claim: Claim) -> Claimant:
    """Return whose account it is, and whether they have proven that the address is theirs."""
    found = await repository.claimant(db, claim.user_id, claim.email)
    if found is None:
        raise NotFoundError("There is no such account.")
    return found
