"""The projects service for its tests, in this process and as another."""

from collections.abc import AsyncGenerator, Callable

import pytest
from services.auth.tests import apart
from services.projects.tests.desk import Desk

from common.bus import Bus, Listener
from common.contracts import projects as contract
from common.testing import outboxes
from common.testing.apps import Client, Serving, serving
from common.testing.processes import Process, free_port, process
from fleet.testing import Running
from projects.main import create_app
from projects.members.events import SUBSCRIPTIONS

APPLICATION = "projects.main:create_app"


@pytest.fixture(scope="session")
def auth_port() -> int:
    """Where the auth service of these tests is: auth's own tests have theirs elsewhere."""
    return free_port()


@pytest.fixture(scope="session")
def collab_port() -> int:
    """Where the collab service of these tests is, in those that have one."""
    return free_port()


@pytest.fixture(scope="session")
def told(
    service_env: Callable[[str], dict[str, str]], auth_port: int, collab_port: int
) -> dict[str, str]:
    """What the service is told in these tests."""
    quiet = {"ACCESS_LOG": "false", "LOG_LEVEL": "error"}
    peers = {"AUTH_URL": auth_port, "COLLAB_URL": collab_port}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in peers.items()}
    return service_env("projects") | quiet | urls


@pytest.fixture(scope="session")
def serve(told: dict[str, str]) -> Serving:
    """Run the service in this process, with some of its settings changed."""
    return serving(create_app, told)


@pytest.fixture(scope="session")
async def client(serve: Serving) -> AsyncGenerator[Client]:
    """The service as it is; whatever it announced in the meantime fits its contract."""
    async with serve() as client:
        yield client
        kinds = outboxes.kinds_of(contract)
        assert outboxes.strays(await outboxes.every(client.db), kinds) == []


@pytest.fixture
def desk(client: Client) -> Desk:
    """The service, and people and projects of this test alone."""
    return Desk(client)


@pytest.fixture
def listener(desk: Desk) -> Listener:
    """What acts on events, without waiting for JetStream to bring them."""
    return Listener("projects", Bus("projects", "", "", ""), desk.client.db, SUBSCRIPTIONS)


@pytest.fixture(scope="session")
async def other(told: dict[str, str]) -> AsyncGenerator[Process]:
    """A second instance of the service, as a process of its own."""
    async with process(APPLICATION, told | {"PORT": str(free_port())}) as running:
        yield running


@pytest.fixture(scope="session")
def auth_told(
    service_env: Callable[[str], dict[str, str]], stores: Running, auth_port: int
) -> dict[str, str]:
    """What the auth service of these tests is told: nobody else sends the mails of its database."""
    own = {"PORT": str(auth_port), "MAIL_PARALLEL_MAX": "0"}
    # what it heard would be missing where all others look for it
    own |= {"NATS_URL": "nats://127.0.0.1:9"}
    quiet = {"ACCESS_LOG": "false", "LOG_LEVEL": "error"}
    database_url = apart.made(stores, "invitations").database_url
    return service_env("auth") | quiet | own | {"DATABASE_URL": database_url}


@pytest.fixture(scope="session")
async def auth(auth_told: dict[str, str]) -> AsyncGenerator[Process]:
    """The auth service, which knows whose a login is; it sends nobody's mails."""
    async with process("auth.main:create_app", auth_told) as running:
        yield running
