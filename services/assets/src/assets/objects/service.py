"""Presigned URLs are good for as long as the right that they were made for."""

from uuid import UUID

from assets.objects import repository
from assets.objects.types import Grant
from common.database import Database
from common.errors import ForbiddenError


async def demand_read(db: Database, grant: Grant | None) -> None:
    """Raise ``ForbiddenError`` unless a URL with that grant may be read from now."""
    if grant is None or not (await repository.rights(db, grant, None))[0]:
        raise _refused()


async def demand_upload(db: Database, grant: Grant | None, upload_id: UUID | None) -> None:
    """Raise ``ForbiddenError`` unless that upload may be sent now, by a URL with that grant."""
    if grant is None or not (await repository.rights(db, grant, upload_id))[1]:
        raise _refused()


def _refused() -> ForbiddenError:
    return ForbiddenError("This address is not good, or not any more.")
