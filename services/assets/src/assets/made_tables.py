"""What is made out of files: variants that are there, and what is still to be done."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from assets.tables import Tables
from common.statements import one_of

# kinds that have something to show
_SHOWN = ("image", "audio", "video", "font")


class VariantRow(Tables):
    """A file made out of another one, which it stands beside: its bytes are ``sha256``.

    ``options`` says how it was made, in one way of writing; a source has one file for each. The row
    goes with either file's bytes.
    """

    __tablename__ = "variant"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["project_id", "source"], ["blob.project_id", "blob.sha256"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"], ["blob.project_id", "blob.sha256"], ondelete="CASCADE"
        ),
        sa.Index("ix_variant_project_id_sha256", "project_id", "sha256"),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    options: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    size: Mapped[int]
    mime_type: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column("metadata")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class PreviewRow(Tables):
    """A thumbnail that is to be made; the row goes when it is, or cannot be."""

    __tablename__ = "preview"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["project_id", "source"], ["blob.project_id", "blob.sha256"], ondelete="CASCADE"
        ),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    mime_type: Mapped[str]
    attempt: Mapped[int] = mapped_column(server_default="0")
    worker_id: Mapped[UUID | None]
    held_until: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class JobRow(Tables):
    """Long work that somebody asked for on an asset: what it is given, and what became of it."""

    __tablename__ = "job"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(index=True)
    project_id: Mapped[UUID]
    asset_id: Mapped[UUID]
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
    # those that are not over are the ones without a time
    completed_at: Mapped[datetime | None] = mapped_column(index=True)


def preview_wanted(written: sa.CTE) -> sa.CTE:
    """Have a thumbnail made of a file, by the statement that lets it be seen."""
    w = written.c
    rows = sa.select(w.project_id, w.sha256, w.mime_type).where(
        one_of(sa.func.split_part(w.mime_type, sa.literal_column("'/'"), 1), *_SHOWN)
    )
    return (
        insert(PreviewRow)
        .from_select(["project_id", "source", "mime_type"], rows)
        .on_conflict_do_nothing()
        .cte("preview_wanted")
    )
