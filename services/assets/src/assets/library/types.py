"""Values of the library."""

from assets.types import Stored


class Seen(Stored, frozen=True):
    """An asset, and the caller's role in its project (NULL: reads as public)."""

    role: str | None
