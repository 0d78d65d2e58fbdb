"""What callers, and the rest of the fleet, are told about a project's tree."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct


class Entry(Struct, frozen=True, rename="camel"):
    """A place in the tree: a file, or a folder whose inside was not asked for."""

    path: str
    type: Literal["file", "directory"]
    size: int | None = None
    hash: str | None = None
    version: int | None = None


class Tree(Struct, frozen=True):
    """A project's files by path; ``hash`` stands for all of them."""

    hash: str
    entries: list[Entry]


class PinnedFile(Struct, frozen=True):
    """A file of a tree: where it is, and which bytes are there."""

    path: str
    hash: str
    size: int
    encoding: str


class Pin(Struct, frozen=True, rename="camel"):
    """A tree as of ``seq``: it can be asked for again, whatever is written afterwards."""

    seq: int
    tree_hash: str
    files: list[PinnedFile]


class Wanted(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Contents to send, by hash, of one project."""

    project_id: UUID
    hashes: Annotated[list[str], Meta(min_length=1)]


class Blobs(Struct, frozen=True):
    """Contents by hash; bytes travel as base64."""

    blobs: dict[str, bytes]
