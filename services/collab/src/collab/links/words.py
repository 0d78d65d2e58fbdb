"""By what another process is known: a word that only this fleet can sign, good for a moment.

The secret alone will not do: the gateway brings it with everybody's requests.
"""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

import msgspec

HEADER = "x-node-identity"
_GOOD_FOR_S = 10.0


class _Word(msgspec.Struct, frozen=True):
    node_id: UUID
    until: float


def signed(node_id: UUID, secret: str) -> str:
    """Say which process one is, to another one of the fleet, for a few seconds."""
    word = msgspec.json.encode(_Word(node_id, time.time() + _GOOD_FOR_S))
    return f"{urlsafe_b64encode(word).decode()}.{_signature(word, secret)}"


def read(header: str, secret: str) -> UUID | None:
    """Return which process it is by its word; ``None`` where it is none."""
    payload, _, signature = header.partition(".")
    try:
        word = urlsafe_b64decode(payload)
        if not hmac.compare_digest(signature.encode(), _signature(word, secret).encode()):
            return None
        said = msgspec.json.decode(word, type=_Word)
    except (ValueError, msgspec.MsgspecError):
        return None
    return said.node_id if said.until > time.time() else None


def _signature(word: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), b"node:" + word, sha256).hexdigest()
