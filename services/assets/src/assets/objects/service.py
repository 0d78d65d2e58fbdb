"""Presigned URLs are good for as long as the right that they were made for."""

from assets.objects import repository
from assets.objects.types import Grant
from common.database import Database
from common.errors import ForbiddenError


async def demand(db: Database, grant: Grant | None, *, is_write: bool) -> None:
    """Raise ``ForbiddenError`` unless a URL with that grant may be used now."""
    may_read, may_write = await repository.rights(db, grant) if grant else (False, False)
    if not (may_write if is_write else may_read):
        raise ForbiddenError("This address is not good, or not any more.")
