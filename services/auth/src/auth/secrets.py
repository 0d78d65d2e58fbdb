"""Random secrets, what is kept of them, and what seals what has to be kept whole."""

import base64
import hashlib
import hmac
import os
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common.settings import SettingsError

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SealError(Exception):
    """No key of the ring opens what was sealed: it was sealed with another one."""


def fresh() -> str:
    """Make a secret of 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(_KEY_BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret that has 256 bits of its own: SHA-256 is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


class _Key:
    """One key of the ring, and those that are derived from it (RFC 5869), one for each purpose."""

    def __init__(self, master: bytes) -> None:
        self.sealing = AESGCM(_derived(master, b"sealing"))
        self._successor = _derived(master, b"refresh-successor")
        self._csrf = _derived(master, b"csrf")

    def opened(self, sealed: bytes, name: str) -> bytes | None:
        """What was sealed under this key and name, or nothing."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self.sealing.decrypt(nonce, rest, name.encode())
        except (InvalidTag, ValueError):
            return None

    def successor(self, token: str) -> str:
        return _encoded(hmac.digest(self._successor, token.encode("utf-8", "replace"), "sha256"))

    def csrf(self, session_id: UUID) -> str:
        made = hmac.digest(self._csrf, session_id.bytes, "sha256")
        return f"{session_id.hex}.{_encoded(made)}"


class Vault:
    """A ring of keys: the first seals and derives, the others only open and recognise.

    So a key is replaced while the service runs: what the one before it sealed or derived stays
    good for as long as that one is on the ring.
    """

    def __init__(self, encoded: str, others: str = "") -> None:
        masters = [_master("KEY_ENCRYPTION_KEY", encoded)]
        for number, other in enumerate(others.replace(",", " ").split(), 1):
            masters.append(_master(f"KEY_ENCRYPTION_KEYS_OTHER, number {number},", other))
        # a key that is named twice is one
        self._ring = [_Key(master) for master in dict.fromkeys(masters)]

    def seal(self, plain: bytes, name: str) -> bytes:
        """Encrypt under AES-256-GCM with the first key; ``name`` is bound to it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ring[0].sealing.encrypt(nonce, plain, name.encode())

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Decrypt what was sealed under ``name`` with any key; raises ``SealError``."""
        for key in self._ring:
            if (plain := key.opened(sealed, name)) is not None:
                return plain
        raise SealError(f"Neither KEY_ENCRYPTION_KEY nor KEY_ENCRYPTION_KEYS_OTHER opens {name!r}.")

    def is_current(self, sealed: bytes, name: str) -> bool:
        """Whether the first key opens it, so that the others are not needed for it."""
        return self._ring[0].opened(sealed, name) is not None

    def successors(self, token: str) -> list[str]:
        """The one refresh token that follows ``token``, as each key derives it; the first's first.

        Whoever asks again gets the one again that was kept, under whichever key it was made.
        """
        return [key.successor(token) for key in self._ring]

    def csrf(self, session_id: UUID) -> str:
        """The token that a page of this session sends beside its cookie."""
        return self._ring[0].csrf(session_id)

    def csrf_session(self, token: str) -> UUID | None:
        """The session whose page may send this token; ``None`` where it is none of ours."""
        try:
            session_id = UUID(hex=token.partition(".")[0])
        except ValueError:
            return None
        given = token.encode("utf-8", "replace")
        # all are compared, so that the time tells nothing of which
        fits = [hmac.compare_digest(key.csrf(session_id).encode(), given) for key in self._ring]
        return session_id if any(fits) else None


def _master(name: str, encoded: str) -> bytes:
    try:
        master = base64.b64decode(encoded, validate=True)
    except ValueError as exc:
        raise SettingsError(f"{name} is not base64.") from exc
    if len(master) != _KEY_BYTES:
        raise SettingsError(f"{name} must be {_KEY_BYTES} bytes.")
    return master


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"worldloom." + purpose).derive(master)


def _encoded(made: bytes) -> str:
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
