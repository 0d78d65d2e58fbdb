"""What callers send and receive about a project."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from projects.permissions import Role

# no control characters: a name is shown on one line; "$" alone would let a last line break in
Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f]+$(?!\n)")
]
Description = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Url = Annotated[str, Meta(max_length=2000, pattern=r"^(https?://|/)[^\x00-\x20]*$(?!\n)")]
Options = Annotated[dict[str, Any], Meta(max_length=200)]


class NewProject(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A project to create."""

    name: Name
    description: Description = ""
    thumbnail_url: Url | None = None
    is_public: bool = False
    settings: Options = {}


class Replacement(NewProject, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a project is from now on; what is not named falls back to its default."""


class Changes(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """What changes about a project; what is not named stays. ``settings`` merge by member."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    thumbnail_url: Url | UnsetType | None = UNSET
    is_public: bool | UnsetType = UNSET
    settings: Options | UnsetType = UNSET


class Project(Struct, frozen=True, rename="camel"):
    """A project, as ``role`` sees it."""

    id: UUID
    user_id: UUID
    name: str
    description: str
    thumbnail_url: str | None
    is_public: bool
    settings: dict[str, Any]
    role: Role
    forked_from: UUID | None
    created_at: datetime
    updated_at: datetime
