"""Providers as an operator sets them, and people as they are known there."""

from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import msgspec
from services.auth.tests import openid
from services.auth.tests.browser import Browser
from services.auth.tests.openid import OpenIdProvider
from services.auth.tests.operation import Done, operate

CORP, CORP_ES256, TERSE = "corp", "corp-es256", "terse"


class Elsewhere(msgspec.Struct, frozen=True):
    """The certified provider, as one that tells much and as one that tells little."""

    corp: OpenIdProvider
    terse: OpenIdProvider

    async def log_in(
        self, browser: Browser, login: str, provider: str = CORP, **query: str
    ) -> httpx.Response:
        """Click the button, log in there, and come back."""
        return await browser.come_back(await self.leads(browser, login, provider, **query))

    async def leads(self, browser: Browser, login: str, provider: str = CORP, **query: str) -> str:
        """Click the button and log in there; returns where that leads."""
        page = await browser.leave(provider, **query)
        place = self.terse if provider == TERSE else self.corp
        return await place.login(browser.there, page, login)


async def offer(
    told: Mapping[str, str], folder: Path, name: str, secret: str, *options: str
) -> Done:
    """Set a provider, as an operator does."""
    file = folder / f"{name}-secret"
    file.write_text(f"{secret}\n", encoding="utf-8")
    return await operate(told, "set-provider", name, "--secret-file", str(file), *options)


def callback_url(told: Mapping[str, str]) -> Callable[[str], str]:
    """Where each provider sends browsers back to."""
    return lambda name: f"{told['GATEWAY_URL']}/api/v1/auth/oauth/{name}/callback"


async def offered(told: Mapping[str, str], folder: Path, place: Elsewhere) -> None:
    """Set the certified providers."""
    for name, provider, client in (
        (CORP, place.corp, openid.CLIENT),
        (CORP_ES256, place.corp, openid.CLIENT_OF_ES256),
        (TERSE, place.terse, openid.CLIENT),
    ):
        options = ("--issuer", provider.issuer, "--client-id", client)
        done = await offer(told, folder, name, openid.secret_of(client), *options)
        assert done.code == 0, done.err
