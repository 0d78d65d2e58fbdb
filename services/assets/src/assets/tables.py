"""Everything that the assets service stores; the bytes themselves are in the object store."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from common import outbox
from common.access import AccessRow
from common.statements import word


class Tables(outbox.Tables):
    """The base of this service's tables, in a schema of its own."""

    __abstract__ = True
    metadata = outbox.schema(AccessRow)


class LibraryRow(Tables):
    """How many bytes a project has, and may have: those of its blobs, each counted once."""

    __tablename__ = "library"
    __table_args__ = (sa.CheckConstraint("bytes <= bytes_max", name="bytes"),)

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    bytes: Mapped[int]
    bytes_max: Mapped[int]
    # the project is gone for good, and with it all that it had
    purged_at: Mapped[datetime | None] = mapped_column(index=True)


class BlobRow(Tables):
    """Bytes of a project, once for each hash: there is an object, or there will be one.

    It is claimed before its object is put, and again by whoever puts the same bytes. What refers
    to it needs it (``NEEDING``); it is deleted only where nothing does.
    """

    __tablename__ = "blob"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    # another one where it was collected and claimed anew: its object may have gone in between
    generation: Mapped[UUID]
    # when it was claimed last
    stored_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class AssetRow(Tables):
    """An asset that can be seen: its object was whole before this row was written.

    ``name_key`` is the name without its case, so that no two in a library differ in case alone.
    ``revision`` counts every change, ``version`` only those of the bytes: size, type, hash and
    metadata are those of this version.
    """

    __tablename__ = "asset"
    __table_args__ = (
        sa.Index(
            "uq_asset_project_id_name_key",
            "project_id",
            "name_key",
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
        sa.Index("ix_asset_project_id_sha256", "project_id", "sha256"),
        sa.Index(
            "ix_asset_deleted_at",
            "deleted_at",
            postgresql_where=sa.text("deleted_at IS NOT NULL AND mentioned_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str]
    name_key: Mapped[str]
    type: Mapped[str]
    size: Mapped[int]
    mime_type: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(server_default="1")
    revision: Mapped[int] = mapped_column(server_default="1")
    facts: Mapped[dict[str, Any]] = mapped_column("metadata")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    # since when it is out of the library; it may come back until it is collected
    deleted_at: Mapped[datetime | None]
    # when, after that, some text of the project was found to have named it: then it stays for good
    mentioned_at: Mapped[datetime | None]


class AssetVersionRow(Tables):
    """What an asset was, or is: written by the statement that writes the asset, and never again."""

    __tablename__ = "asset_version"
    __table_args__ = (
        sa.ForeignKeyConstraint(["project_id", "sha256"], ["blob.project_id", "blob.sha256"]),
        sa.Index("ix_asset_version_project_id_sha256", "project_id", "sha256"),
        sa.Index("ix_asset_version_sha256", "sha256"),
    )

    asset_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[UUID]
    # who sent it, or brought it back
    user_id: Mapped[UUID]
    sha256: Mapped[str]
    size: Mapped[int]
    mime_type: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column("metadata")
    # upload, rollback
    origin: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class UploadRow(Tables):
    """A presigned upload: what was announced, until it is an asset or forgotten.

    The row outlives its URL, so that what is sent late is swept as well.
    """

    __tablename__ = "upload"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str]
    type: Mapped[str | None]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str | None]
    # where it comes in parts: the store's name for the whole, and how large each is but the last
    multipart_id: Mapped[str | None]
    part_size: Mapped[int | None]
    asset_id: Mapped[UUID | None]
    aborted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ResumableRow(Tables):
    """An upload that comes by and by: what is in it is in the store, and nothing else is.

    Whoever writes to it holds its lease. What is stored for it has a number that nothing else of it
    had before: ``parts`` are in the multipart object, ``tail`` is an object with what came since.
    """

    __tablename__ = "resumable"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str | None]
    multipart_id: Mapped[str]
    received: Mapped[int] = mapped_column(server_default="0")
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    tail: Mapped[int | None]
    next_number: Mapped[int] = mapped_column(server_default="1")
    lease: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    asset_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


def still_held(generation: "sa.ColumnElement[UUID]") -> "sa.ColumnElement[bool]":
    """Whether the blob of that generation is there, which nobody collects until this commits."""
    held = (
        sa.select(BlobRow.sha256)
        .where(
            BlobRow.project_id == sa.bindparam("project_id", type_=sa.Uuid),
            BlobRow.sha256 == sa.bindparam("sha256", type_=sa.Text),
            BlobRow.generation == generation,
        )
        .with_for_update(read=True, key_share=True)
        .cte("held")
    )
    return sa.exists(sa.select(held.c.sha256))


def recorded(
    written: sa.CTE, user_id: "sa.ColumnElement[UUID]", origin: "sa.ColumnElement[str]"
) -> sa.CTE:
    """Write down the version that an asset has by a statement, in that statement."""
    w = written.c
    values = {
        "asset_id": w.id,
        "version": w.version,
        "project_id": w.project_id,
        "user_id": user_id,
        "sha256": w.sha256,
        "size": w.size,
        "mime_type": w.mime_type,
        "metadata": w.facts,
        "origin": origin,
    }
    rows = sa.select(*values.values())
    return sa.insert(AssetVersionRow).from_select(list(values), rows).cte("recorded")


# `made_tables` has the whole of that table; it cannot be known here
_VARIANT = sa.table(
    "variant",
    sa.column("project_id", sa.Uuid()),
    sa.column("source", sa.Text()),
    sa.column("options", sa.Text()),
    sa.column("sha256", sa.Text()),
)
# what is made of bytes is needed by whatever has, or had, those bytes
_made = (
    sa.select(_VARIANT.c.project_id, _VARIANT.c.sha256, AssetVersionRow.asset_id)
    .join(
        AssetVersionRow,
        (AssetVersionRow.project_id == _VARIANT.c.project_id)
        & (AssetVersionRow.sha256 == _VARIANT.c.source),
    )
    .subquery("made")
)
# what needs bytes: its project's id, their hash, and the id of the asset that it is of
NEEDING: tuple[tuple[Any, Any, Any], ...] = (
    (AssetRow.project_id, AssetRow.sha256, AssetRow.id),
    (AssetVersionRow.project_id, AssetVersionRow.sha256, AssetVersionRow.asset_id),
    (_made.c.project_id, _made.c.sha256, _made.c.asset_id),
)
# the row's own column as text: in RETURNING the table would be selected from once more
_IS_PUBLIC = (
    sa.select(AccessRow.is_public)
    .where(AccessRow.resource_id == sa.literal_column("asset.project_id", sa.Uuid()))
    .scalar_subquery()
    .label("is_public")
)
HAS_THUMBNAIL = (
    sa.select(sa.true())
    .where(
        _VARIANT.c.project_id == sa.literal_column("asset.project_id", sa.Uuid()),
        _VARIANT.c.source == sa.literal_column("asset.sha256", sa.Text()),
        _VARIANT.c.options == word("thumbnail"),
    )
    .exists()
    .label("has_thumbnail")
)
# what is known of an asset, in the order of `types.Stored`
STORED = (
    AssetRow.id,
    AssetRow.project_id,
    AssetRow.user_id,
    AssetRow.name,
    AssetRow.type,
    AssetRow.size,
    AssetRow.mime_type,
    AssetRow.sha256,
    AssetRow.version,
    AssetRow.revision,
    AssetRow.facts,
    AssetRow.created_at,
    AssetRow.updated_at,
    _IS_PUBLIC,
    HAS_THUMBNAIL,
)
