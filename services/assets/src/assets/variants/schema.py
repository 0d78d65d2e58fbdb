"""What crosses the edge of variants."""

from datetime import datetime
from typing import Any

import msgspec


class Variant(msgspec.Struct, frozen=True, rename="camel"):
    """A file made out of an asset. ``options`` says how; ``url`` expires within minutes."""

    options: str
    mime_type: str
    size: int
    sha256: str
    metadata: dict[str, Any]
    url: str
    created_at: datetime
