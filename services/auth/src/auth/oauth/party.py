"""This service as a relying party: which providers it knows, and what it asks them."""

import time

import structlog
from litestar import Litestar

from auth.identities.types import Profile
from auth.oauth import client, github
from auth.oauth.openid import OpenId
from auth.oauth.types import Endpoints, Flow, Returned
from auth.oauth.web import Web
from auth.providers import service as providers
from auth.providers.types import Provider, is_safe, sealed_as
from auth.secrets import SealError
from auth.sessions.service import Means
from common.database import Database
from common.errors import NotFoundError, UnavailableError
from common.settings import SettingsError

log = structlog.get_logger()


class RelyingParty:
    """What logins through other providers are made with."""

    def __init__(self, means: Means) -> None:
        settings = means.settings
        self.means = means
        self.redirects = _redirects(settings.oauth_redirects)
        self._web = Web(settings)
        self._openid = OpenId(settings, self._web)
        self._known: dict[str, Provider] = {}
        self._looked_at: float | None = None

    async def open(self, app: Litestar) -> None:
        """Nothing to start: a provider is asked when somebody comes."""

    async def close(self) -> None:
        """Close the connections to the providers."""
        await self._web.close()

    async def providers(self, db: Database) -> list[Provider]:
        """Return the providers, as they were a moment ago."""
        now = time.monotonic()
        kept_s = self.means.settings.oauth_providers_cached_s
        if self._looked_at is None or now - self._looked_at >= kept_s:
            self._known = {each.name: each for each in await providers.index(db)}
            self._looked_at = now
        return list(self._known.values())

    async def provider(self, db: Database, name: str) -> Provider:
        """Return a provider; raises ``NotFoundError``."""
        await self.providers(db)
        if name not in self._known:
            raise NotFoundError("There is no such provider.")
        return self._known[name]

    def callback_url(self, provider: Provider) -> str:
        """Where a provider sends the browser back to: an address for each."""
        base = self.means.settings.gateway_url.rstrip("/")
        return f"{base}/api/v1/auth/oauth/{provider.name}/callback"

    async def authorize_url(self, provider: Provider, state: str, flow: Flow) -> str:
        """The address of a provider's page, where somebody says that it may tell who they are."""
        endpoints = await self._endpoints(provider)
        return client.authorize_url(provider, endpoints, self.callback_url(provider), state, flow)

    async def check(self, provider: Provider, returned: Returned) -> None:
        """Refuse what another provider has sent; raises ``ProviderError``."""
        if provider.kind == "oidc":
            await self._openid.check(provider, returned)

    async def profile(self, provider: Provider, code: str, flow: Flow) -> Profile:
        """Exchange a code for what the provider says of somebody; raises ``ProviderError``."""
        tokens = await client.exchange(
            self._web,
            provider,
            await self._endpoints(provider),
            self.callback_url(provider),
            code,
            flow,
            self._secret(provider),
        )
        if provider.kind == "oidc":
            return await self._openid.profile(provider, tokens, flow)
        return await github.read(self._web, provider, tokens)

    async def _endpoints(self, provider: Provider) -> Endpoints:
        if provider.kind == "oidc":
            return await self._openid.endpoints(provider)
        return github.endpoints(provider)

    def _secret(self, provider: Provider) -> str:
        try:
            return self.means.vault.unseal(
                provider.sealed_secret, sealed_as(provider.name)
            ).decode()
        except SealError as exc:
            log.error("provider_secret_sealed", provider=provider.name, error=str(exc))  # noqa: TRY400 - the cause is known
            raise UnavailableError from exc


def _redirects(given: str) -> frozenset[str]:
    pages = [page.strip() for page in given.split(",") if page.strip()]
    for page in pages:
        if not is_safe(page):
            raise SettingsError(f"OAUTH_REDIRECTS has {page!r}, which is no https:// address.")
    return frozenset(pages)
