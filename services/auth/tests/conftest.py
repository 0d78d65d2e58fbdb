"""The auth service for its tests, in this process."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from services.auth.tests import apart as apart_
from services.auth.tests import elsewhere as elsewhere_
from services.auth.tests import openid
from services.auth.tests.apart import Apart
from services.auth.tests.browser import Browser, browsing
from services.auth.tests.desk import Desk
from services.auth.tests.elsewhere import CORP, CORP_ES256, TERSE, Elsewhere
from services.auth.tests.letterbox import Letterbox
from services.auth.tests.standin import Standin, standing_in

from auth.main import create_app
from common.contracts import auth as contract
from common.testing import outboxes
from common.testing.apps import Client, Serving, serving
from fleet.testing import Running


@pytest.fixture(scope="session")
async def letterbox() -> AsyncGenerator[Letterbox]:
    """Where the service's mails go."""
    box = Letterbox()
    await box.open()
    yield box
    await box.close()


@pytest.fixture(scope="session")
def told(service_env: Callable[[str], dict[str, str]], letterbox: Letterbox) -> dict[str, str]:
    """What the service is told in these tests: passwords are cheap, a test of them says more."""
    quiet = {"ACCESS_LOG": "false", "LOG_LEVEL": "error"}
    cheap = {"PASSWORD_MEMORY_KIB": "64", "PASSWORD_PASSES": "1", "LOGIN_FAILED_S_MIN": "0"}
    # the people of all tests have one address
    crowded = {"LOGIN_FAILURES_SPREAD_MAX": "1000000"}
    hasty = {"MAIL_RETRY_S": "0.05", "MAIL_RETRY_S_MAX": "0.2", "MAIL_POLL_S": "0.2"}
    # what a service leaves that is killed, another takes soon
    hasty |= {"MAIL_DELIVERY_S_MAX": "3"}
    post = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(letterbox.port), "SMTP_TLS": "none"}
    # no gateway asks here which sessions are over but in the tests of that
    quiet |= {"GATEWAY_SILENT_S": "0", "REVOCATIONS_CACHED_S": "0", "REVOCATIONS_HOLD_S": "0"}
    # what an operator has just set is there
    quiet |= {"OAUTH_PROVIDERS_CACHED_S": "0"}
    # each process that is told this has a port of its own: other suites run this service too
    own = {"PORT": "0"}
    return service_env("auth") | quiet | cheap | crowded | hasty | post | own


@pytest.fixture(scope="session")
def serve(told: dict[str, str]) -> Serving:
    """Run the service in this process, with some of its settings changed."""
    return serving(create_app, told)


@pytest.fixture(scope="session")
def apart(stores: Running) -> Apart:
    """A database that other tests write nothing to."""
    return apart_.made(stores, "apart")


@pytest.fixture(scope="session")
def alone(told: dict[str, str], apart: Apart) -> Serving:
    """Run the service on a database of its own, where nothing is sealed but by hand."""
    quiet = {"DATABASE_URL": apart.database_url, "AUDIT_SEAL_EVERY_S": "3600"}
    return serving(create_app, told | quiet)


@pytest.fixture(scope="session")
async def client(serve: Serving) -> AsyncGenerator[Client]:
    """The service as it is; whatever it announced in the meantime fits its contract."""
    async with serve() as client:
        yield client
        kinds = outboxes.kinds_of(contract)
        assert outboxes.strays(await outboxes.every(client.db), kinds) == []


@pytest.fixture
def desk(client: Client) -> Desk:
    """The service, and people of this test alone."""
    return Desk(client)


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
