"""What other services ask of documents."""

from datetime import datetime
from uuid import UUID

import msgspec


class WantedText(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """``hash`` is the file's as the asker has just read it, ``known`` what its client has."""

    file_id: UUID
    hash: str
    known: str | None = None


class LiveText(msgspec.Struct, frozen=True, rename="camel"):
    """A document's text as of its last durable change.

    ``text`` is ``None`` where it is the file's own, or known.
    """

    hash: str
    size: int
    text: str | None = None
    updated_at: datetime | None = None
    updated_by: UUID | None = None


class WantedFiles(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Some documents; without ids all that a project has."""

    file_ids: list[UUID] | None = None


class WantedFile(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One document."""

    file_id: UUID


class WantedOpen(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One document by its file's id, or else by its path; it is opened where it is not open."""

    path: str | None = None
    file_id: UUID | None = None


class Opened(msgspec.Struct, frozen=True, rename="camel"):
    """A document as one update (base64 in JSON), all of it durable, and where its file is."""

    file_id: UUID
    path: str
    update: bytes


class WantedHold(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a hold was answered with."""

    hold_id: UUID


class Whole(msgspec.Struct, frozen=True):
    """A document as one update (base64 in JSON)."""

    update: bytes


class Settled(msgspec.Struct, frozen=True):
    """How many were written back."""

    settled: int


class Held(msgspec.Struct, frozen=True, rename="camel"):
    """What releases what was held."""

    hold_id: UUID


class Released(msgspec.Struct, frozen=True):
    """Nothing is held any more."""
