"""Secrets that let somebody in, and what is kept of them."""

import hashlib
import secrets

_BYTES = 32


def fresh() -> str:
    """Make a secret of 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> bytes:
    """What is kept of a secret that has 256 bits of its own: SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
