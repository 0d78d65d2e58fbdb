"""What collab stores: the state of each document, the log of its updates, and who may see it."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from common import outbox
from common.access import AccessRow


class Tables(outbox.Tables):
    """The base of this service's tables, in a schema of its own."""

    __abstract__ = True
    metadata = outbox.schema(AccessRow)


class DocumentRow(Tables):
    """A document: what a file becomes once somebody edits it live.

    ``snapshot`` holds every update up to ``snapshot_seq``; the later ones are in the log. The
    snapshot is made from a file's text once, when the row is; afterwards the file only ever enters
    as a change of the document.
    """

    __tablename__ = "document"
    __table_args__ = (
        sa.Index(
            "uq_document_project_id_path",
            "project_id",
            "path",
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    path: Mapped[str]
    snapshot: Mapped[bytes]
    snapshot_seq: Mapped[int] = mapped_column(server_default="0")
    # the file's content that the document has taken in, and the newest that was heard of
    file_hash: Mapped[str]
    latest_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    deleted_at: Mapped[datetime | None]


class DocumentUpdateRow(Tables):
    """One entry of a document's log: what was accepted within a moment, merged.

    No foreign key: its check would cost each append a look at a row that is there by construction.
    A sequence number can be taken once, which fences off a process that no longer is the owner.
    """

    __tablename__ = "document_update"

    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    actors: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid))
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
