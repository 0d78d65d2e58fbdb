"""The projects schema: everything this service stores, on one page."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from common import outbox


class Tables(outbox.Tables):
    """The base of this service's tables, in a schema of its own."""

    __abstract__ = True
    metadata = outbox.schema()


class ProjectRow(Tables):
    """A project. In the trash it has ``deleted_at``."""

    __tablename__ = "project"

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
    content: Mapped[bytes]


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
    path: Mapped[str] = mapped_column(primary_key=True)
    # the path without case: two live files may not differ in case alone
    folded: Mapped[str]
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


class FileVersionRow(Tables):
    """One change of one file. Rows are only ever added."""

    __tablename__ = "file_version"
    __table_args__ = (sa.UniqueConstraint("project_id", "path", "version"),)

    seq: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"))
    path: Mapped[str]
    version: Mapped[int]
    document_id: Mapped[UUID]
    hash: Mapped[str | None]
    size: Mapped[int]
    encoding: Mapped[str]
    moved_to: Mapped[str | None]
    actor_id: Mapped[UUID]
    origin: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
