"""The public keys, where the gateway and everybody else finds them."""

from litestar import Response, get
from litestar.di import NamedDependency

from auth.keys.keyring import Jwks, Keys
from auth.settings import Settings
from common.caller import needs


@get("/.well-known/jwks.json", opt=needs(None, anonymous=True), tags=["Tokens"])
async def jwks(keys: NamedDependency[Keys], settings: NamedDependency[Settings]) -> Response[Jwks]:
    """Publish the keys that access tokens are signed with (RFC 7517)."""
    cached = {"cache-control": f"public, max-age={settings.jwks_cached_s}"}
    return Response(await keys.published(), headers=cached)
