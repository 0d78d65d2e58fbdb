"""What is asked of delivery, and what it answers."""

from collections.abc import AsyncIterator
from typing import Literal
from uuid import UUID

import msgspec

type Coding = Literal["br", "gzip"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request for bytes: its address, and what it says in its headers."""

    sha256: str
    name: str = ""
    query: bytes = b""
    is_head: bool = False
    byte_range: str | None = None
    if_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    accept_encoding: str = ""


class Held(msgspec.Struct, frozen=True):
    """Bytes of a project that whoever asked may read; to be had, unless they were deleted."""

    project_id: UUID
    size: int
    mime_type: str
    is_public: bool
    is_deleted: bool


class Supplied(msgspec.Struct, frozen=True):
    """Where another service finds bytes, for a while."""

    url: str


class Delivery(msgspec.Struct, frozen=True):
    """What to answer. ``length`` is what the header says, where it says it."""

    status: int
    headers: dict[str, str]
    length: int | None = None
    body: bytes | AsyncIterator[bytes] = b""
