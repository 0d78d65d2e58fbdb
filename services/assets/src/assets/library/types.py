"""Values of the library."""

from msgspec import Struct

from assets.types import Stored

# how what has the very same pixels was made (assets.optimize): PNG of PNG
SAME_PICTURE = (
    'optimize:{"format":"png"}',
    'optimize:{"format":"png","lossless":true}',
)


class Shrunk(Struct, frozen=True):
    """What was made of a file in fewer bytes."""

    options: str
    sha256: str
    size: int
    mime_type: str


class Seen(Stored, frozen=True):
    """An asset, and the caller's role in its project (NULL: reads as public)."""

    role: str | None
