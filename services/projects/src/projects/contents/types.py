"""Where the object store keeps content that is too large for a row."""

from typing import Literal

BUCKET: Literal["blobs"] = "blobs"


def key_of(content_hash: str) -> str:
    """The object that holds the content of that hash (SHA-256, hex)."""
    return f"{content_hash[:2]}/{content_hash}"
