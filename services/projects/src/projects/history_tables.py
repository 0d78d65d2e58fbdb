"""The projects schema's history: what was, and the moments of it that are kept at hand."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from projects.tables import PATH, Tables


class FileVersionRow(Tables):
    """One change of one file, the ``seq``-th of its project. Rows are only ever added."""

    __tablename__ = "file_version"
    __table_args__ = (
        sa.Index("ix_file_version_path", "project_id", "path", "seq"),
        sa.Index("ix_file_version_document", "project_id", "document_id", "seq"),
    )

    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(PATH)
    # grows at each path, and along each document wherever it moves
    version: Mapped[int]
    document_id: Mapped[UUID]
    hash: Mapped[str | None]
    size: Mapped[int]
    encoding: Mapped[str]
    moved_to: Mapped[str | None]
    moved_from: Mapped[str | None]
    actor_id: Mapped[UUID]
    # who typed it, where several may have; NULL where it was ``actor_id`` alone
    actors: Mapped[list[UUID] | None] = mapped_column(sa.ARRAY(sa.Uuid))
    origin: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class KeyframeRow(Tables):
    """The whole tree as of ``seq``: what the past is read from, and a few versions after it."""

    __tablename__ = "keyframe"

    project_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class KeyframeFileRow(Tables):
    """A file of a keyframe."""

    __tablename__ = "keyframe_file"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["project_id", "keyframe_seq"],
            ["keyframe.project_id", "keyframe.seq"],
            ondelete="CASCADE",
        ),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    keyframe_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(PATH, primary_key=True)
    version: Mapped[int]
    document_id: Mapped[UUID]
    hash: Mapped[str]
    size: Mapped[int]
    encoding: Mapped[str]
    updated_at: Mapped[datetime]
    updated_by: Mapped[UUID]


class CheckpointRow(Tables):
    """A moment of a project's history that has a name."""

    __tablename__ = "checkpoint"
    __table_args__ = (sa.Index("ix_checkpoint_project_id_id", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str]
    seq: Mapped[int]
    tree_hash: Mapped[str]
    files: Mapped[int]
    # made by a restore, of what was there before it
    is_automatic: Mapped[bool]
    actor_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
