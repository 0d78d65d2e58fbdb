"""The keys that sign access tokens, as a running service has them; a JWKS (RFC 7517)."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from joserfc import jwt
from joserfc.jwk import ECKey
from litestar import Litestar

from auth.keys import service, types
from auth.keys.types import SigningKey
from auth.secrets import SealError, Vault
from auth.settings import Settings
from common.database import Database
from common.errors import UnavailableError

log = structlog.get_logger()

type Jwks = dict[str, list[dict[str, Any]]]


class Keys:
    """The signing keys, looked at again from time to time."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._keys: list[SigningKey] = []
        self._opened: dict[str, ECKey] = {}
        self._looked_at = float("-inf")
        self._db: Database | None = None

    async def open(self, app: Litestar) -> None:
        """Begin with the service."""
        try:
            await self.use(app.state.db)
        except SealError as exc:
            log.critical("signing_keys_sealed", error=str(exc))
            raise

    async def use(self, db: Database) -> None:
        """Read the keys, or make the first one; a database that is away is asked again later.

        Raises ``SealError`` where the service was given another key than they are sealed with.
        """
        self._db = db
        with suppress(UnavailableError):
            await self._look()

    async def close(self) -> None:
        """Forget the keys."""
        self._opened = {}

    async def published(self) -> Jwks:
        """Return the public keys."""
        await self._look()
        return {"keys": [key.public for key in types.published(self._keys, datetime.now(UTC))]}

    async def sign(self, account_id: str, session_id: str, role: str) -> str:
        """Make an access token (RFC 9068)."""
        await self._look()
        key = self._signer()
        now = int(time.time())
        settings = self._settings
        claims = {
            "iss": settings.token_issuer,
            "aud": settings.token_audience,
            "sub": account_id,
            "sid": session_id,
            "role": role,
            "iat": now,
            "exp": now + settings.access_lifetime_s,
        }
        header = {"alg": service.ALGORITHM, "typ": "at+jwt", "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[service.ALGORITHM])

    def _signer(self) -> ECKey:
        signer = types.signing(self._keys, datetime.now(UTC))
        key = self._opened.get(signer.kid) if signer is not None else None
        if key is None:
            raise UnavailableError("There is no key to sign with.")
        return key

    async def _look(self) -> None:
        """Read the keys unless they were read just now; make the first one."""
        fresh_for = self._settings.signing_keys_cached_s
        if self._keys and time.monotonic() - self._looked_at < fresh_for:
            return
        if self._db is None:
            raise RuntimeError("The keys were not opened.")
        try:
            kept = await service.kept(self._db, self._vault)
        except UnavailableError:
            # tokens are verified while the database is away, with the keys that were there
            if not self._keys:
                raise
            return
        self._open(kept)
        self._keys = kept
        self._looked_at = time.monotonic()

    def _open(self, kept: list[SigningKey]) -> None:
        """Open the key that signs and those that will, before they do."""
        now = datetime.now(UTC)
        signer = types.signing(kept, now)
        opened: dict[str, ECKey] = {}
        for key in types.published(kept, now):
            if signer is None or key.created_at < signer.created_at:
                continue
            try:
                opened[key.kid] = self._opened.get(key.kid) or service.opened(key, self._vault)
            except SealError as exc:
                if not self._keys:
                    raise
                # what could be opened before goes on signing
                log.critical("signing_keys_sealed", error=str(exc))
        self._opened = opened
