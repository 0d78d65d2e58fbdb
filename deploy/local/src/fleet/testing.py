"""The pytest plugin: real stores and a whole fleet for tests, on free ports, gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from fleet import control, counting, logs, plan, play, ports, secrets, services, settings, state
from fleet.catcher import process as catcher
from fleet.context import Context
from fleet.home import Home, make, repository
from fleet.ports import Ports
from fleet.secrets import Secrets
from fleet.state import FleetState, Request

# where a login through another provider may lead to: nothing has to answer there
EDITOR_PAGE = "https://editor.example.org/logged-in"
KINDS = ("unit", "integration", "contract", "architecture", "e2e")


class Running(msgspec.Struct, frozen=True):
    """A fleet, or its stores alone, that runs for the tests of one session."""

    context: Context

    @property
    def home(self) -> Home:
        """Where it keeps its files."""
        return self.context.home

    @property
    def ports(self) -> Ports:
        """The ports that were free."""
        return self.context.ports

    @property
    def secrets(self) -> Secrets:
        """The secrets that were generated for it."""
        return self.context.secrets

    @property
    def gateway_url(self) -> str:
        """The address that clients see, where the gateway runs too."""
        return services.gateway_url(self.context)

    @property
    def play_origin(self) -> str:
        """Where games are played, where the gateway runs too."""
        return play.origin(self.context)

    @property
    def mail_url(self) -> str:
        """The address of the inbox that the fleet's mail goes to, where that runs too."""
        return catcher.url(self.context)

    def env(self, name: str) -> dict[str, str]:
        """Return the settings of one service."""
        return services.environment(self.context, name)

    def stop(self, name: str) -> None:
        """Stop one process, as if it had failed for a while."""
        control.act(self.home, Request("stop", name))

    def start(self, name: str) -> None:
        """Start a process that was stopped, and wait until it is ready."""
        control.act(self.home, Request("start", name))

    def restart(self, name: str) -> None:
        """Restart a process in order, and wait until it is ready again."""
        control.act(self.home, Request("restart", name))

    def kill(self, name: str) -> None:
        """Kill a process without warning, and wait until the runner has brought it back."""
        before = self.state().processes[name]
        os.kill(before.pid, signal.SIGKILL)
        control.until(
            lambda: (
                self.state().processes[name].restarts > before.restarts
                and self.state().processes[name].condition == "ready"
            ),
            f"{name} has not come back.",
        )

    def state(self) -> FleetState:
        """Return what the runner says about its processes."""
        found = state.read(self.home)
        if found is None:
            raise control.FleetError("The fleet is not running.")
        return found

    def log(self, name: str) -> str:
        """Return what a process has written so far."""
        return self.home.log(name).read_text(encoding="utf-8", errors="replace")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the kind that its folder names."""
    for item in items:
        for kind in KINDS:
            if kind in item.path.parts:
                item.add_marker(kind)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a test that failed what the processes that it used were troubled by meanwhile."""
    report = yield
    used = getattr(item, "funcargs", {}).values()
    fleets = {id(r): r for r in used if isinstance(r, Running)} if report.failed else {}
    for fleet in fleets.values():
        since = datetime.fromtimestamp(call.start, UTC)
        if troubles := logs.troubles(fleet.home, since):
            report.sections.append(("The fleet", "\n".join(troubles)))
    return report


@contextmanager
def running(only: tuple[str, ...] = (), *, oauth_redirects: str = "") -> Iterator[Running]:
    """Run a fleet in a temporary home, and leave nothing of it behind."""
    # short, and in the system's own place: the database's user must be able to pass through
    root = Path(tempfile.mkdtemp(prefix="wl-", dir="/tmp"))
    home = Home(root=root.resolve(), repository=repository())
    make(home)
    ports.keep(home.ports, ports.free())
    given = msgspec.structs.replace(settings.read(), oauth_redirects=oauth_redirects)
    context = plan.context(home, ports.kept(home.ports), secrets.ensure(home.secrets), given)
    runner = control.start(home, only, dies_with_parent=True, OAUTH_REDIRECTS=oauth_redirects)
    try:
        control.until_ready(home, runner, lambda _: None)
        yield Running(context)
    finally:
        control.stop(home)
        runner.wait()
        shutil.rmtree(home.root)


@pytest.fixture(scope="session")
def stores() -> Iterator[Running]:
    """Return PostgreSQL, Redis, NATS and the object store, prepared as for a fleet."""
    with running(("stores",)) as started:
        yield started


@pytest.fixture(scope="session")
def service_env(stores: Running) -> Callable[[str], dict[str, str]]:
    """Return a function that gives a service's environment, once its schema is up to date."""
    migrated: set[str] = set()

    def env(name: str) -> dict[str, str]:
        if name not in migrated:
            _migrate(stores.context, name)
            migrated.add(name)
        return stores.env(name)

    return env


@pytest.fixture(scope="session")
def fleet_up() -> Iterator[Running]:
    """Return the whole fleet behind its gateway."""
    with running(oauth_redirects=EDITOR_PAGE) as started:
        yield started


@pytest.fixture
async def turns(stores: Running) -> AsyncIterator[counting.Turns]:
    """Return a way to PostgreSQL that counts the turns from client to server."""
    async with counting.counted(stores.ports.postgres) as counted:
        yield counted


def _migrate(context: Context, name: str) -> None:
    migration = services.migration(context, name)
    done = subprocess.run(
        migration.command,
        env=migration.environment,
        cwd=context.home.repository,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise control.FleetError(f"The schema of {name} is not up to date:\n{done.stderr}")
