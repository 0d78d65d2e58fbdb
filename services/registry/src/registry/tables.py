"""The registry schema: everything this service stores, on one page."""

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


class BlobRow(Tables):
    """Content, once for each hash (SHA-256, lower-case hex)."""

    __tablename__ = "blob"

    hash: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    content: Mapped[bytes]


class TreeFileRow(Tables):
    """A file of a tree. A tree is named by the hash of its files, so it never changes."""

    __tablename__ = "tree_file"

    tree_hash: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    encoding: Mapped[str]
    hash: Mapped[str] = mapped_column(sa.ForeignKey("blob.hash"))


class TemplateRow(Tables):
    """A template as it is now; its files are the tree that it names."""

    __tablename__ = "template"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str]
    version: Mapped[str]
    licence: Mapped[str]
    engine: Mapped[str]
    language: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text))
    # the path of a picture in the tree
    thumbnail: Mapped[str | None]
    variables: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    tree_hash: Mapped[str]
    # the hash of all of the above: publishing the same again changes nothing
    digest: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
