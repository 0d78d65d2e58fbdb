"""Keys that open the game of a private project to whoever holds them, for a while.

A key says for whom it was made: it dies with that member's place in the project.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import time
from uuid import UUID

_FORM = struct.Struct(">16sQ")
_MAC_BYTES = 16


def make(secret: str, build_id: UUID, user_id: UUID, lifetime_s: int) -> str:
    """Make a key to one build."""
    said = _FORM.pack(user_id.bytes, int(time.time()) + lifetime_s)
    return base64.urlsafe_b64encode(said + _mac(secret, build_id, said)).decode().rstrip("=")


def holder(secret: str, build_id: UUID, key: str) -> tuple[UUID, int] | None:
    """Return for whom a key was made and for how many seconds it is good; else ``None``."""
    try:
        raw = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    said, mac = raw[: _FORM.size], raw[_FORM.size :]
    if len(said) != _FORM.size or not hmac.compare_digest(mac, _mac(secret, build_id, said)):
        return None
    user, expires = _FORM.unpack(said)
    left_s = expires - int(time.time())
    return (UUID(bytes=user), left_s) if left_s > 0 else None


def _mac(secret: str, build_id: UUID, said: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"play" + build_id.bytes + said, hashlib.sha256)[
        :_MAC_BYTES
    ]
