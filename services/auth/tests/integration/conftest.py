"""Providers and browsers, for the tests of logins elsewhere."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from services.auth.tests import elsewhere as elsewhere_
from services.auth.tests import openid
from services.auth.tests.browser import Browser, browsing
from services.auth.tests.desk import Desk
from services.auth.tests.elsewhere import CORP, CORP_ES256, TERSE, Elsewhere
from services.auth.tests.standin import Standin, standing_in


@pytest.fixture(scope="session")
async def elsewhere(
    told: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Elsewhere]:
    """The certified provider, set."""
    at = elsewhere_.callback_url(told)
    async with (
        openid.running([at(CORP), at(CORP_ES256)], terse=False) as corp,
        openid.running([at(TERSE)], terse=True) as terse,
    ):
        place = Elsewhere(corp, terse)
        await elsewhere_.offered(told, tmp_path_factory.mktemp("secrets"), place)
        yield place


@pytest.fixture
async def browse(desk: Desk) -> AsyncGenerator[Callable[[], Awaitable[Browser]]]:
    """A way to open browsers that nobody has used."""
    async with AsyncExitStack() as stack:

        async def browser() -> Browser:
            return await stack.enter_async_context(browsing(desk))

        yield browser


@pytest.fixture
async def browser(desk: Desk) -> AsyncGenerator[Browser]:
    """A browser that nobody has used."""
    async with browsing(desk) as opened:
        yield opened


@pytest.fixture
async def standin() -> AsyncGenerator[Standin]:
    """A server in a provider's place."""
    async with standing_in() as made:
        yield made
