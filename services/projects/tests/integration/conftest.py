"""Collab beside projects, and people who type while others call."""

from collections.abc import AsyncGenerator, Callable

import pytest
from services.collab.tests.conftest import Process as Program
from services.projects.tests.desk import Desk
from services.projects.tests.studio import Studio

from common.testing.processes import Process, free_port


@pytest.fixture(scope="session")
async def collab(
    service_env: Callable[[str], dict[str, str]], auth: Process, other: Process, collab_port: int
) -> AsyncGenerator[Program]:
    """The collab service: it speaks to one instance of projects, and these tests to another."""
    own = {
        "AUTH_URL": auth.url,
        "PROJECTS_URL": other.url,
        "PORT": str(collab_port),
        "SOCKET_PORT": str(free_port()),
        "DOCUMENT_IDLE_S": "0.5",
        "DRAIN_SECONDS": "0.2",
        "ACCESS_LOG": "false",
        "LOG_LEVEL": "error",
    }
    program = Program(("collab.main",), service_env("collab") | own)
    await program.start()
    yield program
    await program.end()


@pytest.fixture
async def studio(desk: Desk, collab: Program, auth: Process) -> AsyncGenerator[Studio]:
    """People and projects of one test, who also type."""
    made = Studio(desk, collab, auth)
    async with made.stack:
        yield made
