"""What the assets service announces."""

from typing import ClassVar
from uuid import UUID

from common.contracts.base import Event


class AssetChange(Event, frozen=True, kw_only=True):
    """What every change of an asset tells: which, of what project, by whom."""

    asset_id: UUID
    project_id: UUID
    actor_id: UUID
    name: str


class AssetCreated(AssetChange, frozen=True, kw_only=True):
    """There is a new asset, and its bytes are whole."""

    subject: ClassVar[str] = "assets.asset.created.v1"

    type: str
    mime_type: str
    size: int
    sha256: str
    version: int = 1


class AssetVersionAdded(AssetChange, frozen=True, kw_only=True):
    """An asset has other bytes: new ones (``upload``), or those of an earlier version again.

    Then ``origin`` is ``rollback``.
    """

    subject: ClassVar[str] = "assets.asset.version_added.v1"

    version: int
    mime_type: str
    size: int
    sha256: str
    origin: str


class AssetUpdated(AssetChange, frozen=True, kw_only=True):
    """An asset has another name or type; ``name`` is the one it has now."""

    subject: ClassVar[str] = "assets.asset.updated.v1"

    type: str


class AssetDeleted(AssetChange, frozen=True, kw_only=True):
    """An asset is gone from its project's library; it may come back."""

    subject: ClassVar[str] = "assets.asset.deleted.v1"

    sha256: str


class AssetRestored(AssetChange, frozen=True, kw_only=True):
    """A deleted asset is in its project's library again, as it was."""

    subject: ClassVar[str] = "assets.asset.restored.v1"

    sha256: str
    version: int
