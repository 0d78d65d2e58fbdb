"""What members say about stretches of files. Each change is told to the room by its event."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from collab.comments import anchors, files, reading, repository, showing
from collab.comments.schema import (
    Comment,
    CommentChanges,
    NewComment,
    NewReply,
    UnreadComments,
)
from collab.comments.types import Means, Row, Wanted
from collab.documents.schema import WantedOpen
from collab.permissions import ROLES, TALKERS, WRITERS, member
from collab.workshop.workshop import SpoiledError
from common.caller import Caller
from common.contracts.base import CloudEvent
from common.contracts.collab import CommentCreated, CommentDeleted, CommentResolved, CommentUpdated
from common.contracts.projects import FileChange, FileCreated, FileDeleted, FileMoved, FileUpdated
from common.database import Queries
from common.errors import ForbiddenError, InvalidError, NotFoundError, UnavailableError
from common.ids import uuid7
from common.outbox import announce

# the origin of what was written back out of a document
_LIVE = "ws"
_NO_COMMENT = "There is no such comment."


async def create(means: Means, project_id: UUID, user_id: UUID, new: NewComment) -> Comment:
    """Say something about a stretch of a file."""
    mentions = _once(new.mentions)
    await member(means.db, means.ask, project_id, user_id, TALKERS, mentions)
    if new.anchor.path is None and new.anchor.file_id is None:
        raise InvalidError.of("anchor.path", "Name the file by its path or its id.")
    wanted = WantedOpen(new.anchor.path, new.anchor.file_id)
    opened = await means.open_document(project_id, wanted)
    try:
        found = await means.workshop.do(
            len(opened.update), anchors.stretch, opened.update, new.anchor
        )
    except SpoiledError as exc:
        raise UnavailableError from exc
    comment_id = uuid7()
    event = CommentCreated(
        project_id=project_id,
        comment_id=comment_id,
        actor_id=user_id,
        file_id=opened.file_id,
        path=opened.path,
        # the row has it
        number=0,
        text=new.text,
        mentions=mentions,
        start=showing.encoded(found.start),
        end=showing.encoded(found.end),
        quote=found.quote,
    )
    row = await repository.add(means.db, comment_id, event, found.start, found.end)
    return await _shown(means, row)


async def reply(means: Means, caller: Caller, parent_id: UUID, new: NewReply) -> Comment:
    """Say something about a comment."""
    mentions = _once(new.mentions)
    thread = await _seen(means, caller, parent_id, TALKERS, mentions)
    if thread.parent_id is not None:
        raise InvalidError.of("", "This is a reply: reply to its comment.")
    comment_id = uuid7()
    event = CommentCreated(
        project_id=thread.project_id,
        comment_id=comment_id,
        actor_id=caller.user_id,
        file_id=thread.document_id,
        path=thread.path,
        parent_id=parent_id,
        number=0,
        text=new.text,
        mentions=mentions,
    )
    row = await repository.reply(means.db, comment_id, event)
    if row is None:
        raise NotFoundError(_NO_COMMENT)
    return await _shown(means, row)


async def index(means: Means, user_id: UUID, wanted: Wanted) -> list[Comment]:
    """Return the newest comments that are wanted."""
    await member(means.db, means.ask, wanted.project_id, user_id)
    return await showing.shown(means, await repository.listed(means.db, wanted))


async def show(means: Means, caller: Caller, comment_id: UUID) -> Comment:
    """Return a comment."""
    return await _shown(means, await _seen(means, caller, comment_id, ROLES))


async def replies(
    means: Means, caller: Caller, parent_id: UUID, before: int | None, limit: int
) -> list[Comment]:
    """Return the newest replies to a comment."""
    await _seen(means, caller, parent_id, ROLES)
    rows = await repository.replies(means.db, parent_id, before, limit)
    return await showing.shown(means, rows)


async def change(
    means: Means, caller: Caller, comment_id: UUID, changes: CommentChanges
) -> Comment:
    """Let a comment say something else, which its author does, or be resolved or open again."""
    mentions = [] if changes.mentions is msgspec.UNSET else _once(changes.mentions)
    await _seen(means, caller, comment_id, TALKERS, mentions)
    async with means.db.transaction() as tx:
        row = await _held(tx, comment_id)
        text = row.text if changes.text is msgspec.UNSET else changes.text
        named = row.mentions if changes.mentions is msgspec.UNSET else mentions
        if (text, named) != (row.text, row.mentions):
            if row.user_id != caller.user_id:
                raise ForbiddenError("Only its author changes what a comment says.")
            row = msgspec.structs.replace(row, text=text, mentions=named)
            await repository.edit(tx, comment_id, text, named)
            await announce(tx, _updated(row, caller), row.project_id)
        if changes.resolved is not msgspec.UNSET:
            await _resolve(tx, caller, row, is_resolved=changes.resolved)
        row = await _held(tx, comment_id)
    return await _shown(means, row)


async def _resolve(tx: Queries, caller: Caller, row: Row, *, is_resolved: bool) -> None:
    if row.parent_id is not None:
        raise InvalidError.of("resolved", "This is a reply: resolve its comment.")
    if is_resolved == (row.resolved_at is not None):
        return
    await repository.resolve(tx, row.id, caller.user_id if is_resolved else None)
    event: CommentResolved | CommentUpdated
    if is_resolved:
        event = CommentResolved(
            project_id=row.project_id,
            comment_id=row.id,
            actor_id=caller.user_id,
            file_id=row.document_id,
            path=row.path,
        )
    else:
        event = _updated(msgspec.structs.replace(row, resolved_at=None), caller)
    await announce(tx, event, row.project_id)


def _updated(row: Row, caller: Caller) -> CommentUpdated:
    return CommentUpdated(
        project_id=row.project_id,
        comment_id=row.id,
        actor_id=caller.user_id,
        file_id=row.document_id,
        path=row.path,
        parent_id=row.parent_id,
        text=row.text,
        mentions=row.mentions,
        is_resolved=row.resolved_at is not None,
    )


async def delete(means: Means, caller: Caller, comment_id: UUID) -> None:
    """Take a comment away, with the replies to it: its author does, or who writes here."""
    seen = await _seen(means, caller, comment_id, ROLES)
    if seen.user_id != caller.user_id:
        await member(means.db, means.ask, seen.project_id, caller.user_id, WRITERS)
    async with means.db.transaction() as tx:
        row = await _held(tx, comment_id)
        await repository.delete(tx, comment_id)
        event = CommentDeleted(
            project_id=row.project_id,
            comment_id=row.id,
            actor_id=caller.user_id,
            file_id=row.document_id,
            path=row.path,
            parent_id=row.parent_id,
        )
        await announce(tx, event, row.project_id)


async def unread(means: Means, project_id: UUID, user_id: UUID) -> UnreadComments:
    """Count what others said that the member has not read."""
    await member(means.db, means.ask, project_id, user_id)
    return await reading.unread(means.db, project_id, user_id)


async def read(means: Means, project_id: UUID, user_id: UUID, comment_id: UUID) -> UnreadComments:
    """Remember that the member has read up to a comment; it never goes back."""
    await member(means.db, means.ask, project_id, user_id)
    if not await reading.mark(means.db, project_id, user_id, comment_id):
        raise NotFoundError(_NO_COMMENT)
    return await reading.unread(means.db, project_id, user_id)


async def follow[F: FileChange](tx: Queries, event: CloudEvent[F]) -> None:
    """Let comments go where their file goes."""
    fact, at = event.data, event.time
    match fact:
        case FileMoved():
            await files.file_moved(tx, fact.project_id, fact.path, at, fact.to)
        case FileDeleted():
            await files.file_deleted(tx, fact.project_id, fact.path, at)
        case FileCreated():
            await files.file_created(tx, fact.project_id, fact.path, at, event.id)
        case FileUpdated() if fact.origin != _LIVE:
            await files.file_changed(tx, fact.project_id, fact.path, at, event.id)
        case _:
            pass


async def forget(tx: Queries, project_id: UUID) -> None:
    """Delete the comments of a project that is no more."""
    await repository.forget(tx, project_id)


def _once(mentions: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(mentions))


async def _shown(means: Means, row: Row) -> Comment:
    return (await showing.shown(means, [row]))[0]


async def _seen(
    means: Means,
    caller: Caller,
    comment_id: UUID,
    needs: Collection[str],
    named: Collection[UUID] = (),
) -> Row:
    """Return a comment for who may do this to it."""
    row = await repository.one(means.db, comment_id)
    if row is None or not caller.confined_to(row.project_id):
        raise NotFoundError(_NO_COMMENT)
    await member(means.db, means.ask, row.project_id, caller.user_id, needs, named)
    return row


async def _held(tx: Queries, comment_id: UUID) -> Row:
    row = await repository.held(tx, comment_id)
    if row is None:
        raise NotFoundError(_NO_COMMENT)
    return row
