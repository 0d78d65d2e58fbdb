"""What crosses the edge of presigned uploads."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from assets.types import Kind

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
type Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
type MimeType = Annotated[
    str, msgspec.Meta(max_length=127, pattern=r"\A[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+\Z")
]


class NewUpload(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A file that will be sent straight to the object store; ``sha256`` is checked there too.

    A large one comes in parts, a small one if ``parts`` says so.
    """

    project_id: UUID
    name: Text
    size: Annotated[int, msgspec.Meta(ge=1)]
    content_type: MimeType
    sha256: Hash | None = None
    type: Kind | None = None
    parts: bool = False


class Upload(msgspec.Struct, frozen=True, rename="camel"):
    """Where to send the file, and with which headers, just so; then complete the upload."""

    id: UUID
    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: datetime


class Part(msgspec.Struct, frozen=True):
    """Where to send a part: the bytes from ``(number - 1) * partSize`` on, so many of them."""

    number: int
    size: int
    url: str
    headers: dict[str, str]


class SentPart(msgspec.Struct, frozen=True):
    """A part that is there."""

    number: int
    size: int
    etag: str


class PartedUpload(msgspec.Struct, frozen=True, rename="camel"):
    """Where to send the parts that are not there yet, in any order; then complete the upload."""

    id: UUID
    method: Literal["PUT"]
    size: int
    part_size: int
    parts: list[Part]
    uploaded: list[SentPart]
    expires_at: datetime


class NamedPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part, by the ``ETag`` that the object store answered."""

    number: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    etag: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Completion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was sent, for who wants it compared with what is there."""

    parts: Annotated[list[NamedPart], msgspec.Meta(max_length=10_000)] | None = None
