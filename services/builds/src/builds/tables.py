"""The builds schema: everything this service stores, on one page."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common import outbox
from common.access import AccessRow


class Tables(outbox.Tables):
    """The base of this service's tables, in a schema of its own."""

    __abstract__ = True
    metadata = outbox.schema(AccessRow)


class BuildRow(Tables):
    """A build, from the moment it is wanted. Deleted ones wait here for their objects to go."""

    __tablename__ = "build"
    __table_args__ = (
        sa.Index("ix_build_project_id_queued_at", "project_id", "queued_at"),
        sa.Index(
            "ix_build_unfinished",
            "queued_at",
            postgresql_where=sa.text("status IN ('queued', 'building')"),
        ),
        sa.Index(
            "ix_build_deleted", "deleted_at", postgresql_where=sa.text("deleted_at IS NOT NULL")
        ),
        sa.Index(
            "ix_build_key",
            "project_id",
            "build_key",
            postgresql_where=sa.text("status = 'success' AND deleted_at IS NULL"),
        ),
        sa.Index(
            "ix_build_result_id", "result_id", postgresql_where=sa.text("result_id IS NOT NULL")
        ),
        sa.Index("ix_build_started_at", "started_at"),
        sa.Index(
            "ix_build_log_waiting",
            "completed_at",
            postgresql_where=sa.text("completed_at IS NOT NULL AND log_stored_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    user_id: Mapped[UUID]
    target: Mapped[str]
    options: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default="queued")
    # the tree as it was when the build was wanted: a hash of it, and the files and assets in it
    source_tree: Mapped[str]
    manifest: Mapped[dict[str, Any]]
    # the number of the project's history that was asked for; NULL for the tree as it was then
    at_seq: Mapped[int | None]
    # what the result depends on; a success holds the key of the tools that made it
    build_key: Mapped[str | None]
    # under which name the objects are stored; builds of the same key share them
    result_id: Mapped[UUID | None]
    cached: Mapped[bool] = mapped_column(server_default=sa.false())
    steps: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    diagnostics: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    artifacts: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    # what is played, by path: its size and hash
    site: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    retry_of: Mapped[UUID | None]
    verify_of: Mapped[UUID | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    # who works on it; whoever is not named here any more may write nothing
    worker_id: Mapped[UUID | None]
    attempt: Mapped[int] = mapped_column(server_default="0")
    beat_at: Mapped[datetime | None]
    # the request that wanted it; the job that a worker gets may be another build's
    request_id: Mapped[str] = mapped_column(server_default="")
    traceparent: Mapped[str] = mapped_column(server_default="")
    requested_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    queued_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    # when the log moved to the object store, and what is to be known of it without asking there
    log_stored_at: Mapped[datetime | None]
    log_lines: Mapped[int | None]
    log_sha256: Mapped[str | None]


class LogRow(Tables):
    """One line of a build's log, counted from 0 without a gap, until the log is stored."""

    __tablename__ = "build_log"

    build_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("build.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    step: Mapped[str]
    text: Mapped[str]
