"""Which providers there are."""

from auth.auditing import note_deed
from auth.identities import service as identities
from auth.providers import repository
from auth.providers.types import Provider
from common.database import Database, Queries
from common.errors import ConflictError, NotFoundError


async def index(db: Queries) -> list[Provider]:
    """Return the providers by their names."""
    return await repository.every(db)


async def put(db: Database, provider: Provider) -> None:
    """Keep a provider, or change one; raises ``ConflictError`` where it would be somebody else."""
    async with db.transaction() as tx:
        if not await repository.put(tx, provider):
            raise ConflictError(
                f"People log in as whom {provider.name} knew at its former address; whoever has"
                " the same number at the new one is somebody else. Choose another name, or remove"
                " it with the identities."
            )
        about = {"kind": provider.kind, "urls": provider.urls, "clientId": provider.client_id}
        await note_deed(tx, "provider.set", name=provider.name, **about)


async def remove(db: Database, name: str, *, with_identities: bool) -> int:
    """Forget a provider, and the people that it knows; returns how many identities that were."""
    async with db.transaction() as tx:
        if not await repository.remove(tx, name):
            raise NotFoundError(f"There is no provider {name}.")
        count = await identities.drop(tx, name)
        if count and not with_identities:
            raise ConflictError(
                f"{count} identities are known through {name}; --with-identities forgets them too."
            )
        await note_deed(tx, "provider.removed", name=name, identities=count)
        return count
