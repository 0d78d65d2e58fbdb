"""What projects hear of accounts: what they are called, that they are disabled, or gone."""

from typing import Any

from common.bus import Subscription
from common.contracts.auth import (
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserRegistered,
    UserUpdated,
)
from common.contracts.base import CloudEvent
from common.database import Queries
from projects.jobs import service as jobs
from projects.members import service


async def on_user_named[E: (UserRegistered, UserUpdated)](
    tx: Queries, event: CloudEvent[E]
) -> None:
    """Remember what the account is called."""
    fact = event.data
    await service.learn(tx, fact.user_id, fact.username, fact.display_name, event.time)


async def on_user_disabled(tx: Queries, event: CloudEvent[UserDisabled]) -> None:
    """Let the account into no project until it is enabled."""
    await service.mark(tx, event.data.user_id, event.time, is_disabled=True)


async def on_user_enabled(tx: Queries, event: CloudEvent[UserEnabled]) -> None:
    """Let the account into its projects again."""
    await service.mark(tx, event.data.user_id, event.time, is_disabled=False)


async def on_user_deleted(tx: Queries, event: CloudEvent[UserDeleted]) -> None:
    """Let the account leave its projects; those that were its own alone go to the trash.

    Its jobs go first: one that is under way would make it another project.
    """
    await jobs.forget(tx, event.data.user_id)
    await service.forget(tx, event.data.user_id)


SUBSCRIPTIONS: list[Subscription[Any]] = [
    Subscription(UserRegistered, on_user_named),
    Subscription(UserUpdated, on_user_named),
    Subscription(UserDisabled, on_user_disabled),
    Subscription(UserEnabled, on_user_enabled),
    Subscription(UserDeleted, on_user_deleted),
]
