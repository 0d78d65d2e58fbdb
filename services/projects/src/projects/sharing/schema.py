"""What callers send and receive about links with which anybody may read a project."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct


class NewShareLink(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A link to make, which is good until it is revoked, or until then."""

    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class ShareLink(Struct, frozen=True, rename="camel"):
    """A link with which anybody may read a project."""

    id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None


class CreatedShareLink(ShareLink, frozen=True, kw_only=True):
    """A link, and what it is good by: the token is shown this once."""

    token: str
    url: str


class Reader(Struct, frozen=True):
    """Whose eyes a link lends: an owner of the project sees whatever a viewer does."""

    project_id: UUID
    user_id: UUID
