"""The projects schema: what this service stores, but for history, which has a page of its own."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from common import outbox

# the order of paths is that of their bytes, whatever the database's own is
PATH = sa.String(collation="C")
_TRIGRAMS: dict[str, Any] = {"postgresql_using": "gin", "postgresql_ops": {"name": "gin_trgm_ops"}}
_IS_PUBLIC = sa.text("is_public AND deleted_at IS NULL")


class Tables(outbox.Tables):
    """The base of this service's tables, in a schema of its own."""

    __abstract__ = True
    metadata = outbox.schema()


class ProjectRow(Tables):
    """A project. In the trash it has ``deleted_at``."""

    __tablename__ = "project"
    __table_args__ = (
        sa.Index("ix_project_name_trgm", "name", **_TRIGRAMS),
        sa.Index("ix_project_public_created_at", "created_at", postgresql_where=_IS_PUBLIC),
        sa.Index("ix_project_public_updated_at", "updated_at", postgresql_where=_IS_PUBLIC),
        sa.Index("ix_project_public_name", "name", postgresql_where=_IS_PUBLIC),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str]
    description: Mapped[str]
    thumbnail_url: Mapped[str | None]
    is_public: Mapped[bool]
    settings: Mapped[dict[str, Any]]
    forked_from: Mapped[UUID | None]
    # grows with every change of who may do what; other services keep the newest
    access_version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    deleted_at: Mapped[datetime | None]


class MemberRow(Tables):
    """Somebody's role in a project; its owner has a row too."""

    __tablename__ = "member"
    __table_args__ = (sa.Index("ix_member_user_id_project_id", "user_id", "project_id"),)

    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]
    # what auth said when they were let in; ``person`` has what it says since
    username: Mapped[str] = mapped_column(server_default="")
    display_name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class PersonRow(Tables):
    """What somebody is called, by what was last heard of auth."""

    __tablename__ = "person"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    display_name: Mapped[str]
    # when that was said: an older word does not replace it
    told_at: Mapped[datetime]


class AccountRow(Tables):
    """Whether somebody's account is disabled, by what was last heard of auth."""

    __tablename__ = "account"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    is_disabled: Mapped[bool]
    # when that was said: an older word does not replace it
    told_at: Mapped[datetime]


class BlobRow(Tables):
    """Content, once for each hash (SHA-256, lower-case hex)."""

    __tablename__ = "blob"

    hash: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    # NULL where it is large: then the object store has it, under its hash
    content: Mapped[bytes | None]


class ProjectBlobRow(Tables):
    """A project has, or had, that content: what it may read, and what counts as its bytes."""

    __tablename__ = "project_blob"

    hash: Mapped[str] = mapped_column(sa.ForeignKey("blob.hash"), primary_key=True)
    # of the files that have it, which refer to the project: this would be looked up in vain
    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    size: Mapped[int]


class LooseBlobRow(Tables):
    """Content that may be nobody's since then: about to be uploaded, or of a purged project."""

    __tablename__ = "loose_blob"

    hash: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class HeadRow(Tables):
    """Where a project's history has got to. Whoever changes its files counts here.

    Until that commits nobody else counts: so ``seq`` is in the order of the commits, without gaps,
    and what is below it never changes.
    """

    __tablename__ = "head"
    __table_args__ = (
        sa.CheckConstraint("bytes <= bytes_max", name="bytes"),
        sa.CheckConstraint("files <= files_max", name="files"),
    )

    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int]
    # of the newest keyframe
    keyframe_seq: Mapped[int] = mapped_column(server_default="0")
    # of all content that the project has or had, each once
    bytes: Mapped[int]
    bytes_max: Mapped[int]
    # that are there now
    files: Mapped[int]
    files_max: Mapped[int]
    # of the last transaction that counted here, and which that was: each has a time of its own,
    # later than all before it, whatever the clock does
    at: Mapped[datetime]
    xact: Mapped[int] = mapped_column(server_default="0")


class FileRow(Tables):
    """What is at a path now. ``hash`` is NULL where a file was: its versions go on counting."""

    __tablename__ = "file"
    __table_args__ = (
        sa.Index(
            "uq_file_project_id_folded",
            "project_id",
            "folded",
            unique=True,
            postgresql_where=sa.text("hash IS NOT NULL"),
        ),
    )

    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(PATH, primary_key=True)
    # the path without case: two live files may not differ in case alone
    folded: Mapped[str] = mapped_column(PATH)
    # stays with the file when it moves, so that an open editor does
    document_id: Mapped[UUID]
    version: Mapped[int]
    hash: Mapped[str | None]
    # what the last write was based on; a writer that saw something else does not get through
    previous_hash: Mapped[str | None]
    size: Mapped[int]
    encoding: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_by: Mapped[UUID]


class LiveFileRow(Tables):
    """A file that is open live: what was typed into it may not be in its row yet.

    Whoever reads or changes it asks collab. Without this row the file's own tells all.
    """

    __tablename__ = "live_file"

    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    # of who writes it back, it only grows: who has an older one is not heard any more
    epoch: Mapped[int]
    # how far what was typed is in the file
    flushed_seq: Mapped[int] = mapped_column(server_default="0")
    # a larger file is nothing to type into
    bytes_max: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class InvitationRow(Tables):
    """Somebody who may come in, by their e-mail, until they do or it expires."""

    __tablename__ = "invitation"
    __table_args__ = (
        sa.UniqueConstraint("project_id", "folded", name="uq_invitation_project_id_folded"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"))
    email: Mapped[str]
    # the e-mail without case
    folded: Mapped[str]
    role: Mapped[str]
    # of the token that the mail brings
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime]


class ShareLinkRow(Tables):
    """A link with which anybody may read a project, as its token's hash."""

    __tablename__ = "share_link"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    # NULL where it does not expire
    expires_at: Mapped[datetime | None]


class JobRow(Tables):
    """Long work that somebody asked for: ``worker_id`` does it, and nobody else until then."""

    __tablename__ = "job"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str]
    given: Mapped[dict[str, Any]]
    status: Mapped[str]
    percent: Mapped[int] = mapped_column(server_default="0")
    # what it made, or why it failed
    outcome: Mapped[dict[str, Any] | None]
    attempt: Mapped[int] = mapped_column(server_default="0")
    worker_id: Mapped[UUID | None]
    held_until: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    request_id: Mapped[str] = mapped_column(server_default="")
    traceparent: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None] = mapped_column(index=True)
