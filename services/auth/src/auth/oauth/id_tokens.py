"""ID tokens: signed by the provider, for us, just now, in answer to what this browser began."""

import re
import time
from typing import Any

import msgspec
from authlib.oidc.core.util import create_half_hash
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from auth.oauth.types import ProviderError

_STEP = "id_token"
# asymmetric ones alone: for the others the client's secret would be the key, or there is none
_KEY_TYPES = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "Ed25519": "OKP",
}
_SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")


class Header(msgspec.Struct, frozen=True):
    """How a token is signed."""

    alg: str
    kid: str | None = None


class IdClaims(msgspec.Struct, frozen=True):
    """What an ID token says (OpenID Connect Core 1.0, 2 and 5.1)."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str | None = None
    azp: str | None = None
    nbf: float = 0
    at_hash: str | None = None
    email: str | None = None
    email_verified: bool | str | None = None
    name: str | None = None
    preferred_username: str | None = None
    nickname: str | None = None
    picture: str | None = None


class Expected(msgspec.Struct, frozen=True):
    """What an ID token has to say, and may be signed with."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    algorithms: tuple[str, ...]
    # no older than the login that it answers
    age_s_max: int
    leeway_s: int


def header(token: str, expected: Expected) -> Header:
    """Return how a token is signed, if it may be so; raises ``ProviderError``."""
    try:
        found = msgspec.convert(jws.extract_compact(token.encode()).protected, Header)
    except (JoseError, ValueError) as exc:
        raise ProviderError(_STEP, f"it is none: {exc!r}") from exc
    if found.alg not in expected.algorithms or found.alg not in _KEY_TYPES:
        raise ProviderError(_STEP, f"it is signed with {found.alg!r}")
    return found


def key_for(header: Header, keys: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the one key that a token can be signed with."""
    fitting = [
        key
        for key in keys
        if key.get("kty") == _KEY_TYPES[header.alg]
        and key.get("use", "sig") == "sig"
        and key.get("alg", header.alg) == header.alg
        and (header.kid is None or header.kid == key.get("kid"))
    ]
    return fitting[0] if len(fitting) == 1 else None


def verified(token: str, key: dict[str, Any], expected: Expected) -> IdClaims:
    """Return what a token says, if it is what was expected; raises ``ProviderError``."""
    try:
        signed = jws.deserialize_compact(token, JWKRegistry.import_key(key), [*_KEY_TYPES])
        claims = msgspec.json.decode(signed.payload or b"", type=IdClaims)
    except (JoseError, ValueError, TypeError, KeyError) as exc:
        raise ProviderError(_STEP, f"it is not good: {exc!r}") from exc
    if faults := _faults(claims, signed.headers()["alg"], expected):
        raise ProviderError(_STEP, f"{', '.join(faults)}: not as expected")
    return claims


def _faults(claims: IdClaims, algorithm: str, expected: Expected) -> list[str]:
    now, leeway_s = time.time(), expected.leeway_s
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    # Authlib knows this one by its older name alone (RFC 9864)
    hashed_as = "EdDSA" if algorithm == "Ed25519" else algorithm
    half = create_half_hash(expected.access_token, hashed_as)
    good = {
        "iss": claims.iss == expected.issuer,
        "aud": expected.client_id in audience,
        # where it is for others too, it says who asked for it
        "azp": claims.azp == expected.client_id or (claims.azp is None and len(audience) == 1),
        "sub": bool(_SUBJECT.fullmatch(claims.sub)),
        "nonce": claims.nonce == expected.nonce,
        "exp": claims.exp > now - leeway_s,
        "nbf": claims.nbf <= now + leeway_s,
        "iat": now - expected.age_s_max - leeway_s < claims.iat <= now + leeway_s,
        "at_hash": claims.at_hash is None or claims.at_hash.encode() == half,
    }
    return [name for name, is_good in good.items() if not is_good]
