"""What callers send and receive about keys for machines."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from auth.accounts.schema import Line

type Scope = Literal[
    "projects:read",
    "projects:write",
    "assets:read",
    "assets:write",
    "builds:read",
    "builds:write",
    "registry:read",
    "registry:write",
    "users:read",
]


class NewApiKey(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A key to make: what it may do, and as far as wanted where, how long and from where."""

    name: Line
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)]
    project_id: UUID | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    networks: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=20)] = []


class ApiKey(Struct, frozen=True, rename="camel"):
    """A key, without what proves it."""

    id: UUID
    name: str
    scopes: list[str]
    project_id: UUID | None
    networks: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class CreatedApiKey(ApiKey, frozen=True, rename="camel"):
    """A key, whole: ``key`` is shown this once."""

    key: str


class Introspection(Struct, frozen=True, forbid_unknown_fields=True):
    """A key to look at."""

    key: Annotated[str, Meta(min_length=1, max_length=512)]


class Status(Struct, frozen=True, rename="camel"):
    """Whether a key is good, and the key, if it is one of the caller's."""

    active: bool
    key: ApiKey | None
