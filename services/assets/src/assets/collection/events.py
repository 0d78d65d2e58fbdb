"""What this service learns from others: that a project is gone for good."""

from assets.collection import service
from common.bus import Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import ProjectDeleted
from common.database import Queries


async def on_project_deleted(tx: Queries, event: CloudEvent[ProjectDeleted]) -> None:
    """Let a purged project need nothing; one in the trash may come back."""
    if event.data.purged:
        await service.purge(tx, event.data.project_id)


SUBSCRIPTIONS = [Subscription(ProjectDeleted, on_project_deleted)]
