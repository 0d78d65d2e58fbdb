"""What people say to one another in a project, and how far each of them has read."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from collab.tables import Tables

_IS_THREAD = sa.text("parent_id IS NULL")
_IS_REPLY = sa.text("parent_id IS NOT NULL")


class TalkRow(Tables):
    """How much was said in a project. Its lock puts what is said there into one order."""

    __tablename__ = "talk"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(server_default="0")
    comment_seq: Mapped[int] = mapped_column(server_default="0")


class MessageRow(Tables):
    """The ``seq``-th message of a project's chat. None is changed or taken back."""

    __tablename__ = "chat_message"
    __table_args__ = (
        sa.Index("uq_chat_message_id", "id", unique=True),
        sa.Index(
            "uq_chat_message_client_id",
            "project_id",
            "user_id",
            "client_id",
            unique=True,
            postgresql_where=sa.text("client_id IS NOT NULL"),
        ),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    user_id: Mapped[UUID]
    text: Mapped[str]
    mentions: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid))
    # the sender's own name for it: the same one again is the same message
    client_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class MentionRow(Tables):
    """Somebody who is named in a message, for counting what they have not read."""

    __tablename__ = "chat_mention"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ReadRow(Tables):
    """How far somebody has read in a project: up to these numbers."""

    __tablename__ = "talk_read"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(server_default="0")
    comment_seq: Mapped[int] = mapped_column(server_default="0")


class CommentRow(Tables):
    """A comment on a stretch of a file, or (with ``parent_id``) a reply to one.

    ``start`` and ``end`` are positions in the document, as Yjs encodes them: they stay with the
    text. The path is where the file is now. A reply has what its thread has.
    """

    __tablename__ = "comment"
    __table_args__ = (
        sa.Index("ix_comment_seq", "project_id", "seq"),
        sa.Index("ix_comment_thread", "project_id", "seq", postgresql_where=_IS_THREAD),
        sa.Index("ix_comment_path", "project_id", "path", "seq"),
        sa.Index("ix_comment_reply", "parent_id", "seq", postgresql_where=_IS_REPLY),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    seq: Mapped[int]
    parent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("comment.id", ondelete="CASCADE"))
    document_id: Mapped[UUID]
    path: Mapped[str] = mapped_column(sa.String(collation="C"))
    start: Mapped[bytes]
    end: Mapped[bytes]
    # what stood there: shown where it does not any more; empty for a place between two characters
    quote: Mapped[str]
    user_id: Mapped[UUID]
    text: Mapped[str]
    mentions: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid))
    resolved_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    is_file_gone: Mapped[bool] = mapped_column(server_default=sa.false())
    # the event of a change of the file that its document may not have taken in
    stale_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    edited_at: Mapped[datetime | None]
