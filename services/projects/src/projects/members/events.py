"""What projects hear of accounts: those that are gone are members of nothing."""

from typing import Any

from common.bus import Subscription
from common.contracts.auth import UserDeleted
from common.contracts.base import CloudEvent
from common.database import Queries
from projects.members import service


async def on_user_deleted(tx: Queries, event: CloudEvent[UserDeleted]) -> None:
    """Let the account leave its projects; those that were its own alone go to the trash."""
    await service.forget(tx, event.data.user_id)


SUBSCRIPTIONS: list[Subscription[Any]] = [Subscription(UserDeleted, on_user_deleted)]
