"""Addresses of private bytes: signed for one member, one project and one content, for a while.

Whoever has such an address has the bytes, as long as that member may read there: it says for whom
it was made, and that is asked about whenever it is used.
"""

import hashlib
import hmac
import re
import time
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from assets.objects import types as grants
from assets.objects.types import Grant
from assets.settings import Settings

_EXPIRES = re.compile(rb"[0-9]{1,12}")
_MARKS = (b"exp", b"sig")


def signed(settings: Settings, sha256: str, grant: Grant) -> str:
    """Return the query of an address that is good from half to all of the lifetime.

    In the meantime it is the same for the same caller, so that a browser finds what it has.
    """
    step = max(settings.download_lifetime_s // 2, 1)
    expires = (int(time.time()) // step + 2) * step
    signature = _signature(settings, sha256, grant, expires).decode()
    return urlencode({"exp": expires, **grant.marks, "sig": signature})


def is_signed(query: bytes) -> bool:
    """Whether the query means to be that of a signed address."""
    return any(f"{name}=".encode() in query for name in ("exp", "sig", "x-grant"))


def granted(settings: Settings, sha256: str, query: bytes) -> tuple[Grant, int] | None:
    """Return for whom an address was signed and for how many seconds it is good, if it is."""
    grant = grants.read(query)
    given = _given(query)
    if grant is None or given is None:
        return None
    expires, signature = given
    wanted = _signature(settings, sha256, grant, expires)
    left_s = expires - int(time.time())
    if not hmac.compare_digest(signature, wanted) or left_s <= 0:
        return None
    return grant, left_s


def _given(query: bytes) -> tuple[int, bytes] | None:
    """Read what stands there once and just as it is written; else nothing."""
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    found = {mark: [value for name, _, value in pairs if name == mark] for mark in _MARKS}
    if any(len(values) != 1 for values in found.values()):
        return None
    (expires,), (signature,) = found.values()
    return (int(expires), signature) if _EXPIRES.fullmatch(expires) else None


def _signature(settings: Settings, sha256: str, grant: Grant, expires: int) -> bytes:
    # each part has a length of its own, so no two requests are the same text
    said = b"".join(
        (
            b"cdn",
            bytes.fromhex(sha256),
            grant.user_id.bytes,
            grant.project_id.bytes,
            expires.to_bytes(8),
        )
    )
    key = (settings.cdn_secret or settings.fleet_secret).encode()
    return urlsafe_b64encode(hmac.digest(key, said, hashlib.sha256)).rstrip(b"=")
