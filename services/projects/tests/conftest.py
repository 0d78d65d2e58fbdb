"""The projects service for its tests, in this process and as another."""

from collections.abc import AsyncGenerator, Callable

import pytest
from services.projects.tests.desk import Desk

from common.contracts import projects as contract
from common.testing import outboxes
from common.testing.apps import Client, Serving, serving
from common.testing.processes import Process, free_port, process
from projects.main import create_app

APPLICATION = "projects.main:create_app"


@pytest.fixture(scope="session")
def told(service_env: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """What the service is told in these tests."""
    return service_env("projects") | {"ACCESS_LOG": "false", "LOG_LEVEL": "error"}


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


@pytest.fixture(scope="session")
async def other(told: dict[str, str]) -> AsyncGenerator[Process]:
    """A second instance of the service, as a process of its own."""
    async with process(APPLICATION, told | {"PORT": str(free_port())}) as running:
        yield running


@pytest.fixture(scope="session")
async def auth(service_env: Callable[[str], dict[str, str]]) -> AsyncGenerator[Process]:
    """The auth service, which knows whose a login is."""
    quiet = {"ACCESS_LOG": "false", "LOG_LEVEL": "error"}
    async with process("auth.main:create_app", service_env("auth") | quiet) as running:
        yield running
