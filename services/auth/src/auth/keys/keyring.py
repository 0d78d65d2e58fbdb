"""The keys that sign access tokens: made at the first start, published as a JWKS (RFC 7517)."""

import time
from contextlib import suppress
from typing import Any

import structlog
from joserfc import jwt
from joserfc.jwk import ECKey
from litestar import Litestar

from auth.keys import repository
from auth.keys.repository import SigningKey
from auth.secrets import SealError, Vault
from auth.settings import Settings
from common.database import Database
from common.errors import UnavailableError
from common.ids import uuid7

log = structlog.get_logger()

type Jwks = dict[str, list[dict[str, Any]]]

_ALGORITHM = "ES256"


class Keys:
    """The signing keys, looked at again from time to time."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._signing: ECKey | None = None
        self._published: Jwks = {"keys": []}
        self._looked_at = 0.0
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
        self._signing = None

    async def published(self) -> Jwks:
        """Return the public keys."""
        await self._look()
        return self._published

    async def sign(self, account_id: str, session_id: str, role: str) -> str:
        """Make an access token (RFC 9068)."""
        key = await self._look()
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
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])

    async def _look(self) -> ECKey:
        """Read the keys unless they were read just now; make the first one."""
        fresh_for = self._settings.signing_keys_cached_s
        if self._signing is not None and time.monotonic() - self._looked_at < fresh_for:
            return self._signing
        try:
            kept = await self._kept()
        except UnavailableError:
            # tokens are verified while the database is away, with the keys that were there
            if self._signing is None:
                raise
            return self._signing
        newest = kept[0]
        private = self._vault.unseal(newest.sealed, newest.kid)
        self._published = {"keys": [key.public for key in kept]}
        self._looked_at = time.monotonic()
        self._signing = ECKey.import_key(private, {"kid": newest.kid})
        return self._signing

    async def _kept(self) -> list[SigningKey]:
        if self._db is None:
            raise RuntimeError("The keys were not opened.")
        kept = await repository.every(self._db)
        if not kept:
            await self._make(self._db)
            kept = await repository.every(self._db)
        return kept

    async def _make(self, db: Database) -> None:
        kid = str(uuid7())
        key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": _ALGORITHM})
        sealed = self._vault.seal(key.as_pem(private=True), kid)
        await repository.add_first(db, kid, dict(key.as_dict(private=False)), sealed)
