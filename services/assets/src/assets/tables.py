"""Everything that the assets service stores; the bytes themselves are in the object store."""

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


class AssetRow(Tables):
    """An asset that can be seen: its object was whole before this row was written.

    ``name_key`` is the name without its case, so that no two differ in case alone. ``revision``
    counts every change, ``version`` only those of the bytes.
    """

    __tablename__ = "asset"
    __table_args__ = (sa.UniqueConstraint("project_id", "name_key"),)

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


# the row's own column as text: in RETURNING the table would be selected from once more
_IS_PUBLIC = (
    sa.select(AccessRow.is_public)
    .where(AccessRow.resource_id == sa.literal_column("asset.project_id", sa.Uuid()))
    .scalar_subquery()
    .label("is_public")
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
)
