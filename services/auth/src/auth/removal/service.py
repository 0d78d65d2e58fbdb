"""An account's end: nothing of it lets anybody in any more, and everybody hears of it."""

from auth.removal import repository
from auth.sessions import service as sessions
from common.caller import Caller
from common.database import Database
from common.errors import UnauthenticatedError


async def remove(db: Database, caller: Caller) -> None:
    """Delete the caller's account; its e-mail and username are free from now on."""
    async with db.transaction() as tx:
        # held, so that no session begins while the others end
        if not await repository.hold(tx, caller.user_id):
            raise UnauthenticatedError("The account is not there any more.")
        await sessions.end_all(tx, caller.user_id, None, "account_deleted")
        await repository.remove(tx, caller.user_id)
