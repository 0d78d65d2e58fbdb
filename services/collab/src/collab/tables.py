"""What collab stores: the state of each document, its log, who may see it, and whose it is now."""

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
    """A document: what a file becomes once somebody edits it live. Its ``id`` is the file's.

    ``snapshot`` holds every update up to ``snapshot_seq``; the later ones are in the log. As of
    ``written_seq`` the document's text is the file's content, whose hash is ``file_hash``. The
    first snapshot is made from the file's text, once, when the row is; afterwards the file only
    ever enters as a change of the document.
    """

    __tablename__ = "document"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(index=True)
    snapshot: Mapped[bytes]
    snapshot_seq: Mapped[int] = mapped_column(server_default="0")
    written_seq: Mapped[int] = mapped_column(server_default="0")
    file_hash: Mapped[str]
    # who the first text is by: by this id a client's state shows of which document it is
    seed: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


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
    # of the file's content, where the entry is that content's way into the document
    file_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class SpoiledDocumentRow(Tables):
    """A document of which nothing could be made, as it was: its file goes on with a new one.

    ``seq`` is the last number of its log, and ``seed`` is not given again.
    """

    __tablename__ = "spoiled_document"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(index=True)
    project_id: Mapped[UUID] = mapped_column(index=True)
    seed: Mapped[int]
    seq: Mapped[int]
    snapshot: Mapped[bytes]
    updates: Mapped[list[bytes]] = mapped_column(ARRAY(sa.LargeBinary))
    put_aside_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class NodeRow(Tables):
    """A process of this service, as the others reach it; it says again and again that it lives."""

    __tablename__ = "node"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    http_port: Mapped[int]
    socket_port: Mapped[int]
    alive_until: Mapped[datetime]


class LeaseRow(Tables):
    """Whose a project is: its documents and its room live in one process at a time.

    ``epoch`` grows with every owner; the row stays when nobody is, so that it never falls.
    """

    __tablename__ = "lease"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    node_id: Mapped[UUID | None] = mapped_column(index=True)
    epoch: Mapped[int] = mapped_column(server_default="1")
