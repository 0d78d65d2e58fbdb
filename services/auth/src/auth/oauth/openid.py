"""OpenID providers: what they say of themselves, and the keys that they sign with."""

from typing import Any

import msgspec

from auth.identities.types import Profile, profile
from auth.oauth import id_tokens
from auth.oauth.id_tokens import Expected, IdClaims
from auth.oauth.kept import Kept
from auth.oauth.types import Endpoints, Flow, ProviderError, Returned, Tokens
from auth.oauth.web import Web
from auth.providers.types import Provider, may_name
from auth.settings import Settings

_WELL_KNOWN = "/.well-known/openid-configuration"
_BASIC, _POST = "client_secret_basic", "client_secret_post"


class Metadata(msgspec.Struct, frozen=True):
    """What an OpenID provider says of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = (_BASIC,)
    authorization_response_iss_parameter_supported: bool = False


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _UserInfo(msgspec.Struct, frozen=True):
    sub: str
    email: str | None = None
    email_verified: bool | str | None = None
    name: str | None = None
    preferred_username: str | None = None
    nickname: str | None = None
    picture: str | None = None


class OpenId:
    """Logs in through OpenID providers, and remembers what they say of themselves."""

    def __init__(self, settings: Settings, web: Web) -> None:
        self._settings = settings
        self._web = web
        self._metadata: dict[str, Kept[Metadata]] = {}
        self._keys: dict[str, Kept[list[dict[str, Any]]]] = {}

    async def endpoints(self, provider: Provider) -> Endpoints:
        """Return where it is asked."""
        found = await self._described(provider)
        methods = found.token_endpoint_auth_methods_supported
        uses_post = _BASIC not in methods and _POST in methods
        return Endpoints(
            found.authorization_endpoint, found.token_endpoint, _POST if uses_post else _BASIC
        )

    async def check(self, provider: Provider, returned: Returned) -> None:
        """Refuse what another issuer has sent (RFC 9207); raises ``ProviderError``."""
        found = await self._described(provider)
        is_silent = returned.issuer is None
        if is_silent and found.authorization_response_iss_parameter_supported:
            raise ProviderError("issuer", "the answer does not say whose it is")
        if not is_silent and returned.issuer != found.issuer:
            raise ProviderError("issuer", "the answer is another issuer's")

    async def profile(self, provider: Provider, tokens: Tokens, flow: Flow) -> Profile:
        """Return whom the tokens are about; raises ``ProviderError``."""
        found = await self._described(provider)
        if tokens.id_token is None:
            raise ProviderError("id_token", "there is none")
        expected = Expected(
            found.issuer,
            provider.client_id,
            flow.nonce,
            tokens.access_token,
            found.id_token_signing_alg_values_supported,
            self._settings.oauth_flow_lifetime_s,
            self._settings.clocks_differ_s,
        )
        claims = await self._claims(found, tokens.id_token, expected)
        told: IdClaims | _UserInfo = claims
        if claims.email is None and found.userinfo_endpoint is not None:
            told = await self._user_info(found, tokens, claims.sub)
        return profile(
            claims.sub,
            told.email,
            # some say "true", which is not what OpenID Connect calls true
            is_email_verified=told.email_verified is True,
            login=told.preferred_username or told.nickname,
            name=told.name,
            picture=told.picture,
        )

    async def _claims(self, found: Metadata, token: str, expected: Expected) -> IdClaims:
        header = id_tokens.header(token, expected)
        key = id_tokens.key_for(header, await self._published(found))
        if key is None:
            # it may be new: it is looked for once more, and not all the time
            key = id_tokens.key_for(header, await self._published(found, is_missed=True))
        if key is None:
            raise ProviderError("id_token", "its key is not among the provider's")
        return id_tokens.verified(token, key, expected)

    async def _described(self, provider: Provider) -> Metadata:
        issuer = provider.urls["issuer"]
        kept = self._metadata.setdefault(issuer, Kept(self._settings.oauth_rest_s))

        async def ask() -> Metadata:
            answer = await self._web.get(f"{issuer.rstrip('/')}{_WELL_KNOWN}", "discovery")
            if not answer.is_good:
                raise ProviderError("discovery", f"status {answer.status}")
            found = answer.read(Metadata, "discovery")
            # exactly: whoever describes another issuer would have us ask that one (mix-up)
            if found.issuer != issuer:
                raise ProviderError("discovery", f"it describes {found.issuer!r}")
            places = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
            if unsafe := [url for url in places if not may_name(issuer, url)]:
                raise ProviderError("discovery", f"it names {unsafe[0]!r}")
            return found

        return await kept.get(ask, fresh_s=self._settings.oauth_metadata_cached_s)

    async def _published(self, found: Metadata, *, is_missed: bool = False) -> list[dict[str, Any]]:
        settings = self._settings
        within_s = (
            settings.oauth_keys_read_again_s if is_missed else settings.oauth_metadata_cached_s
        )
        kept = self._keys.setdefault(found.jwks_uri, Kept(self._settings.oauth_rest_s))

        async def ask() -> list[dict[str, Any]]:
            answer = await self._web.get(found.jwks_uri, "keys")
            if not answer.is_good:
                raise ProviderError("keys", f"status {answer.status}")
            return answer.read(_Keys, "keys").keys

        return await kept.get(ask, fresh_s=within_s, is_stale_good=not is_missed)

    async def _user_info(self, found: Metadata, tokens: Tokens, subject: str) -> _UserInfo:
        url = found.userinfo_endpoint or ""
        if not may_name(found.issuer, url):
            raise ProviderError("userinfo", f"it names {url!r}")
        answer = await self._web.get(url, "userinfo", token=tokens.access_token)
        if not answer.is_good:
            raise ProviderError("userinfo", f"status {answer.status}")
        told = answer.read(_UserInfo, "userinfo")
        if told.sub != subject:
            raise ProviderError("userinfo", "it is about somebody else")
        return told
