"""GitHub, which has no ID tokens: its API is asked who somebody is."""

import msgspec

from auth.identities.types import Profile, profile
from auth.oauth.types import Endpoints, ProviderError, Tokens
from auth.oauth.web import Web
from auth.providers.types import Provider

_STEP = "profile"


class _User(msgspec.Struct, frozen=True):
    # the login may be somebody else's tomorrow, the number never
    id: int
    login: str
    name: str | None = None
    avatar_url: str | None = None


class _Address(msgspec.Struct, frozen=True):
    email: str
    primary: bool
    verified: bool


def endpoints(provider: Provider) -> Endpoints:
    """Return where it is asked."""
    site = provider.urls["site"]
    return Endpoints(
        f"{site}/login/oauth/authorize", f"{site}/login/oauth/access_token", "client_secret_post"
    )


async def read(web: Web, provider: Provider, tokens: Tokens) -> Profile:
    """Return whom a token is about; raises ``ProviderError``."""
    user = await _ask(web, provider, "/user", tokens, _User)
    # what the profile shows is any address; whose it is, is told here alone
    addresses = await _ask(web, provider, "/user/emails", tokens, list[_Address])
    best = max(addresses, key=lambda each: (each.verified, each.primary), default=None)
    return profile(
        str(user.id),
        best.email if best else None,
        is_email_verified=best is not None and best.verified,
        login=user.login,
        name=user.name,
        picture=user.avatar_url,
    )


async def _ask[T](web: Web, provider: Provider, path: str, tokens: Tokens, kind: type[T]) -> T:
    answer = await web.get(f"{provider.urls['api']}{path}", _STEP, token=tokens.access_token)
    if not answer.is_good:
        raise ProviderError(_STEP, f"{path}: status {answer.status}")
    return answer.read(kind, _STEP)
