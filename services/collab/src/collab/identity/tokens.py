"""Access tokens, verified with the keys that auth publishes."""

import asyncio
import base64
import time
from typing import Any
from uuid import UUID

import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from collab.identity.types import Identity
from collab.settings import Settings
from common.errors import UnauthenticatedError, UnavailableError
from common.outgoing import Peer

log = structlog.get_logger()

_ALGORITHM = "ES256"
_TYPE = "at+jwt"
_KEYS_PATH = "/.well-known/jwks.json"


class _Header(msgspec.Struct, frozen=True):
    alg: str = ""
    kid: str = ""
    typ: str = ""


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class Tokens:
    """Verifies tokens. Keys are kept, and fetched again for one that is not known yet.

    How often is bounded, so that forged key ids do not become requests to auth.
    """

    def __init__(self, settings: Settings, auth: Peer) -> None:
        self._settings = settings
        self._auth = auth
        self._keys: dict[str, ECKey] = {}
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": settings.token_issuer},
            aud={"essential": True, "value": settings.token_audience},
            sub={"essential": True},
            sid={"essential": True},
            exp={"essential": True},
        )

    async def verify(self, token: str) -> Identity:
        """Return whom the token speaks for; raises ``UnauthenticatedError``."""
        header = _header(token)
        if header.alg != _ALGORITHM or header.typ.lower() != _TYPE:
            raise UnauthenticatedError("This is no access token.")
        key = await self._key(header.kid)
        if key is None:
            raise UnauthenticatedError("The token's key is not known.")
        try:
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM]).claims
            self._claims.validate(claims)
            return Identity(
                UUID(claims["sub"]),
                str(claims["sid"]),
                str(claims.get("role", "user")),
                float(claims["exp"]),
            )
        except (JoseError, ValueError) as exc:
            raise UnauthenticatedError("The token is not valid.") from exc

    async def _key(self, kid: str) -> ECKey | None:
        age = time.monotonic() - self._fetched_at
        is_known = kid in self._keys
        if age > (self._settings.jwks_kept_s if is_known else self._settings.jwks_refetch_s_min):
            async with self._fetching:
                if time.monotonic() - self._fetched_at >= min(age, 1.0):
                    await self._fetch(is_needed=not is_known)
        return self._keys.get(kid)

    async def _fetch(self, *, is_needed: bool) -> None:
        """Fetch the keys; while auth is away the ones that are kept go on being good."""
        try:
            found = await self._auth.get(_KEYS_PATH, _Keys)
        except UnavailableError:
            log.warning("jwks_unavailable")
            if is_needed:
                raise
            return
        self._keys = {
            str(key["kid"]): ECKey.import_key(key)
            for key in found.keys
            if key.get("kty") == "EC" and key.get("crv") == "P-256" and "kid" in key
        }
        self._fetched_at = time.monotonic()


def _header(token: str) -> _Header:
    first = token.partition(".")[0]
    try:
        raw = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4))
        return msgspec.json.decode(raw, type=_Header)
    except (ValueError, msgspec.MsgspecError) as exc:
        raise UnauthenticatedError("This is no token.") from exc
