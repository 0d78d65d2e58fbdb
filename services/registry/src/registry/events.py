"""What the registry learns from others: who may do what with a project."""

from common.access import Access, learn
from common.bus import Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import AccessChanged
from common.database import Queries


async def on_access_changed(tx: Queries, event: CloudEvent[AccessChanged]) -> None:
    """Keep the newest word on a project's members."""
    fact = event.data
    await learn(
        tx,
        Access(
            resource_id=fact.project_id,
            version=fact.version,
            is_public=fact.is_public,
            is_deleted=fact.is_deleted,
            roles=fact.roles,
        ),
    )


SUBSCRIPTIONS = [Subscription(AccessChanged, on_access_changed)]
