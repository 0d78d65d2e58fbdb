"""What crosses the edge of the library."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from assets.types import Kind

VERSION_MAX = 1_000_000_000

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
type Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Changes(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What to change about an asset; what is not named stays."""

    name: Text | UnsetType = UNSET
    type: Kind | UnsetType = UNSET


class Wanted(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Hashes of bytes that somebody has at hand for a project."""

    project_id: UUID
    sha256: Annotated[list[Hash], msgspec.Meta(max_length=1000)]


class Missing(msgspec.Struct, frozen=True):
    """Those whose bytes are to be sent."""

    missing: list[str]


class Smaller(msgspec.Struct, frozen=True, rename="camel"):
    """The same in fewer bytes, of the same type and without any loss."""

    options: str
    sha256: str
    size: int
    mime_type: str
    url: str


class Supply(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An asset as the fleet fetches it: ``url`` is for the store's own address, and expires.

    Most have no ``variants``, and say nothing of them.
    """

    id: UUID
    name: str
    sha256: str
    size: int
    mime_type: str
    url: str
    variants: list[Smaller] = []


class Supplies(msgspec.Struct, frozen=True):
    """Every asset of a project."""

    assets: list[Supply]
