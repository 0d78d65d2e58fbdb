"""A browser in the tests of logins through other providers: its cookies are its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
from services.auth.tests.desk import ADDRESS, Desk, Person, claims

from common.testing.apps import Client, identity

_BASE = "/api/v1/auth/oauth"


class Browser:
    """Goes to the service and to providers, as somebody who clicks."""

    def __init__(self, desk: Desk) -> None:
        self._secret = desk.client.secret
        self.here = Client(desk.client.app)
        self.there = httpx.AsyncClient()

    async def get(self, path: str, **query: str) -> httpx.Response:
        """Go to an address of the service, with the cookies that are for it."""
        headers = identity(self._secret, None, x_envoy_external_address=ADDRESS)
        return await self.here.get(path, params=query, headers=headers)

    async def authorize(self, provider: str, **query: str) -> httpx.Response:
        """Click the provider's button."""
        return await self.get(f"{_BASE}/{provider}/authorize", **query)

    async def leave(self, provider: str, **query: str) -> str:
        """Click the provider's button; returns the provider's page."""
        answer = await self.authorize(provider, **query)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def come_back(self, url: str, **instead: str | None) -> httpx.Response:
        """Follow where the provider leads, with other values in the address, or without some."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) | instead
        return await self.get(parts.path, **{k: v for k, v in query.items() if v is not None})

    async def refresh(self, **headers: str) -> httpx.Response:
        """Do what the page does that one is led to: ask for the tokens of the session."""
        known = identity(self._secret, None, x_envoy_external_address=ADDRESS)
        csrf = self.here.cookies.get("wl_csrf") or ""
        whole = known | {"x-csrf-token": csrf} | headers
        return await self.here.post("/api/v1/auth/refresh", headers=whole)


@asynccontextmanager
async def browsing(desk: Desk) -> AsyncGenerator[Browser]:
    """Open a browser that nobody has used."""
    browser = Browser(desk)
    async with browser.here, browser.there:
        yield browser


def whose(answer: httpx.Response) -> Person:
    """Who has logged in, by an answer."""
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return Person(
        id=UUID(data["user"]["id"]),
        session_id=claims(data["accessToken"])["sid"],
        username=data["user"]["username"],
        email=data["user"]["email"],
        refresh_token=answer.cookies["wl_refresh"],
        access_token=data["accessToken"],
    )
