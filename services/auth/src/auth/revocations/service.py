"""Whether a session goes on."""

from uuid import UUID

from auth.revocations import repository
from auth.revocations.schema import Liveness
from common.database import Database


async def liveness(db: Database, session_id: UUID) -> Liveness:
    """Say whether a session goes on; for the fleet, not for callers."""
    return Liveness(await repository.is_live(db, session_id))
