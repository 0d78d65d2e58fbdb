"""What members of a project say to one another. Each message is told to the room by its event."""

from uuid import UUID

from collab.chat import repository
from collab.chat.schema import Message, NewMessage, Unread
from collab.permissions import TALKERS, member
from common.access import Ask
from common.contracts.collab import ChatPosted
from common.database import Database, Queries
from common.errors import NotFoundError
from common.ids import uuid7

_NEWEST = 2**63 - 1


async def post(db: Database, ask: Ask, project_id: UUID, user_id: UUID, new: NewMessage) -> Message:
    """Say something; what has the name of something that was said already is not said again."""
    mentions = list(dict.fromkeys(new.mentions))
    await member(db, ask, project_id, user_id, TALKERS, mentions)
    if new.client_id is not None:
        before = await repository.said(db, project_id, user_id, new.client_id)
        if before is not None:
            return before
    message_id = uuid7()
    event = ChatPosted(
        project_id=project_id,
        message_id=message_id,
        # the row has it
        number=0,
        actor_id=user_id,
        text=new.text,
        mentions=mentions,
        client_id=new.client_id,
    )
    made = await repository.post(db, message_id, event)
    if made is None and new.client_id is not None:
        made = await repository.said(db, project_id, user_id, new.client_id)
    if made is None:
        raise NotFoundError("The message is gone with its project.")
    return made


async def index(
    db: Database, ask: Ask, project_id: UUID, user_id: UUID, before: int | None, limit: int
) -> list[Message]:
    """Return the newest messages, and one more than ``limit`` if there are others."""
    await member(db, ask, project_id, user_id)
    return await repository.listed(db, project_id, before or _NEWEST, limit + 1)


async def unread(db: Database, ask: Ask, project_id: UUID, user_id: UUID) -> Unread:
    """Count what the member has not read."""
    await member(db, ask, project_id, user_id)
    return await repository.unread(db, project_id, user_id)


async def read(db: Database, ask: Ask, project_id: UUID, user_id: UUID, message_id: UUID) -> Unread:
    """Remember that the member has read up to a message; it never goes back."""
    await member(db, ask, project_id, user_id)
    if not await repository.mark(db, project_id, user_id, message_id):
        raise NotFoundError("There is no such message.")
    return await repository.unread(db, project_id, user_id)


async def forget(tx: Queries, project_id: UUID) -> None:
    """Delete the chat of a project that is no more."""
    await repository.forget(tx, project_id)
