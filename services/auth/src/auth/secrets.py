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
    """The key does not open what was sealed: it was sealed with another one."""


def fresh() -> str:
    """Make a secret of 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(_KEY_BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret that has 256 bits of its own: SHA-256 is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


class Vault:
    """The service's key, and the keys that are derived from it (RFC 5869), one for each purpose."""

    def __init__(self, encoded: str) -> None:
        try:
            master = base64.b64decode(encoded, validate=True)
        except ValueError as exc:
            raise SettingsError("KEY_ENCRYPTION_KEY is not base64.") from exc
        if len(master) != _KEY_BYTES:
            raise SettingsError(f"KEY_ENCRYPTION_KEY must be {_KEY_BYTES} bytes.")
        self._sealing = AESGCM(_derived(master, b"sealing"))
        self._successor = _derived(master, b"refresh-successor")
        self._csrf = _derived(master, b"csrf")

    def seal(self, plain: bytes, name: str) -> bytes:
        """Encrypt under AES-256-GCM; ``name`` is bound to it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, plain, name.encode())

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Decrypt what was sealed under ``name``; raises ``SealError``."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._sealing.decrypt(nonce, rest, name.encode())
        except (InvalidTag, ValueError) as exc:
            raise SealError(f"KEY_ENCRYPTION_KEY does not open {name}.") from exc

    def successor(self, token: str) -> str:
        """The one refresh token that follows ``token``: whoever asks again gets it again."""
        made = hmac.digest(self._successor, token.encode("utf-8", "replace"), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def csrf(self, session_id: UUID) -> str:
        """The token that a page of this session sends beside its cookie."""
        made = hmac.digest(self._csrf, session_id.bytes, "sha256")
        return f"{session_id.hex}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"

    def csrf_session(self, token: str) -> UUID | None:
        """The session whose page may send this token; ``None`` where it is none of ours."""
        try:
            session_id = UUID(hex=token.partition(".")[0])
        except ValueError:
            return None
        expected = self.csrf(session_id).encode()
        is_ours = hmac.compare_digest(expected, token.encode("utf-8", "replace"))
        return session_id if is_ours else None


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"worldloom." + purpose).derive(master)
