"""What this service hears: who may do what with a project."""

from builds.runs import service
from common import access
from common.access import Access
from common.bus import Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import AccessChanged
from common.database import Queries


async def on_access(tx: Queries, event: CloudEvent[AccessChanged]) -> None:
    """Remember who may do what, and end the builds of those who may not build any more."""
    heard = event.data
    await access.learn(
        tx,
        Access(
            resource_id=heard.project_id,
            version=heard.version,
            is_public=heard.is_public,
            is_deleted=heard.is_deleted,
            roles=heard.roles,
        ),
    )
    await service.end_barred(tx, heard.project_id)


SUBSCRIPTIONS = [Subscription(AccessChanged, on_access)]
