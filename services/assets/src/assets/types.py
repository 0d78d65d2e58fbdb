"""What an asset is, to its callers and inside."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec

from assets.settings import Settings

type Kind = Literal["image", "audio", "font", "model", "video", "data"]

BUCKET = "assets"
# what begins like this waits to be looked at
QUARANTINE = "uploads/"
# the forms that text is sent in besides its own, best first
CODINGS = ("br", "gzip")


class Asset(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A file of a project's library. ``metadata`` has ``width`` and ``height`` of an image."""

    id: UUID
    project_id: UUID
    user_id: UUID
    name: str
    type: str
    size: int
    mime_type: str
    sha256: str
    version: int
    url: str
    thumbnail_url: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Stored(msgspec.Struct, frozen=True):
    """An asset's row, and whether its project is public."""

    id: UUID
    project_id: UUID
    user_id: UUID
    name: str
    type: str
    size: int
    mime_type: str
    sha256: str
    version: int
    revision: int
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    is_public: bool
    has_thumbnail: bool

    @property
    def etag(self) -> str:
        """A strong validator: the bytes, how often anything changed, and what else is shown."""
        return f'"{self.revision}-{self.sha256[:16]}{self._seen}"'

    @property
    def _seen(self) -> str:
        """What is shown of it and comes or goes without a change of it."""
        marks = "t" * self.has_thumbnail + "p" * self.is_public
        return f".{marks}" if marks else ""

    def is_held_by(self, tags: str) -> bool:
        """Whether a list of entity tags has that of what is to be changed.

        A thumbnail that came meanwhile is no change, nor is who may see it.
        """
        own = self.etag.strip('"').partition(".")[0]
        given = [tag.strip() for tag in tags.split(",")]
        quoted = [tag[1:-1] for tag in given if tag[:1] == tag[-1:] == '"']
        return own in [tag.partition(".")[0] for tag in quoted]


def url_of(stored: Stored, settings: Settings, version: int | None = None) -> str:
    """Where its bytes are: for everybody where the project is public, otherwise for its members.

    ``version`` is one of the past, which ``stored`` is shown as.
    """
    if stored.is_public:
        return f"{settings.public_url}/cdn/{stored.sha256}/{quote(stored.name, safe='')}"
    query = "" if version is None else f"?v={version}"
    return f"{settings.gateway_url}/api/v1/assets/{stored.id}/download{query}"


def shown(stored: Stored, settings: Settings, version: int | None = None) -> Asset:
    """Return the asset as its callers see it, now or as of a version."""
    return Asset(
        id=stored.id,
        project_id=stored.project_id,
        user_id=stored.user_id,
        name=stored.name,
        type=stored.type,
        size=stored.size,
        mime_type=stored.mime_type,
        sha256=stored.sha256,
        version=stored.version,
        url=url_of(stored, settings, version),
        thumbnail_url=f"{settings.gateway_url}/api/v1/assets/{stored.id}/thumbnail"
        if stored.has_thumbnail
        else None,
        metadata=stored.metadata,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def object_key(project_id: UUID, sha256: str) -> str:
    """Where the bytes are: their content decides, within the project that owns them."""
    return f"{project_id}/{sha256}"


def coded_key(key: str, coding: str) -> str:
    """Where a compressed copy of an object is: beside it, and it goes with it."""
    return f"{key}.{coding}"


def keys_of(project_id: UUID, sha256: str) -> list[str]:
    """Every object that the bytes may have: their own, and those of their compressed copies."""
    key = object_key(project_id, sha256)
    return [key, *(coded_key(key, coding) for coding in CODINGS)]


def quarantine_key(upload_id: UUID) -> str:
    """Where the bytes of an upload wait to be looked at; what belongs to it begins like that."""
    return f"{QUARANTINE}{upload_id}"
