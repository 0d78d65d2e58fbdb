"""What callers send and receive about files."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from projects.files.types import Encoding

type OperationName = Literal["create", "update", "upsert", "delete", "move", "copy"]


class NewContent(Struct, frozen=True, forbid_unknown_fields=True):
    """A file's next content."""

    content: str
    encoding: Encoding = "utf-8"


class File(Struct, frozen=True, rename="camel"):
    """A file and its content; ``hash`` is the SHA-256 of the bytes and the ETag."""

    path: str
    size: int
    hash: str
    version: int
    encoding: Encoding
    content: str
    updated_at: datetime
    updated_by: UUID


class FileInfo(Struct, frozen=True, rename="camel"):
    """A file without its content. ``unchanged`` says that nothing had to be written."""

    path: str
    size: int
    hash: str
    version: int
    encoding: Encoding
    updated_at: datetime
    updated_by: UUID
    unchanged: bool = False


class Operation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One step of a batch."""

    op: OperationName
    path: str
    content: str | None = None
    encoding: Encoding = "utf-8"
    to: str | None = None
    if_match: str | None = None


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Steps in order: all or none of them, unless ``atomic`` is false."""

    operations: Annotated[list[Operation], Meta(min_length=1)]
    atomic: bool = True


class Outcome(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What one step of a batch did; ``code`` says why it did not."""

    index: int
    op: OperationName
    path: str
    status: int
    code: str | None = None
    message: str | None = None
    file: FileInfo | None = None


class Outcomes(Struct, frozen=True):
    """What a batch did, step by step."""

    results: list[Outcome]
