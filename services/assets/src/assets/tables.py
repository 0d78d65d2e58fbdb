"""Everything that the assets service stores; the bytes themselves are in the object store."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from common import outbox
from common.access import AccessRow
from common.statements import word


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
    asset_id: Mapped[UUID | None]
    aborted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


# the row's own column as text: in RETURNING the table would be selected from once more
_IS_PUBLIC = (
    sa.select(AccessRow.is_public)
    .where(AccessRow.resource_id == sa.literal_column("asset.project_id", sa.Uuid()))
    .scalar_subquery()
    .label("is_public")
)
# `made_tables` has the whole of that table; it cannot be known here
_VARIANT = sa.table(
    "variant",
    sa.column("project_id", sa.Uuid()),
    sa.column("source", sa.Text()),
    sa.column("options", sa.Text()),
    sa.column("sha256", sa.Text()),
)
_HAS_THUMBNAIL = (
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
    _HAS_THUMBNAIL,
)
