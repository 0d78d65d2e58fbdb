"""The servers behind the contenders: a private fleet of stores in a directory that goes away."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.processes import StartError, running, tail
from fleet import home, plan, ports, secrets, settings, state
from fleet.context import Context
from fleet.processes import Process
from fleet.stores import postgres

_READY_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.1


@contextmanager
def stores(
    *, relay: bool, service: str = "projects", more: tuple[str, ...] = ()
) -> Iterator[Context]:
    """Run PostgreSQL with a service's schema, Redis, NATS where events leave, and ``more``."""
    place = Path(tempfile.mkdtemp(prefix="worldloom-bench-"))
    try:
        made = home.Home(root=place, repository=home.repository())
        home.make(made)
        ports.keep(made.ports, ports.free())
        context = plan.context(
            made, ports.kept(made.ports), secrets.ensure(made.secrets), settings.read()
        )
        wanted = (f"{service}-schema", "redis", *(("nats-streams",) if relay else ()), *more)
        log = made.log("runner")
        with running(_runner(context, wanted), log, made.repository):
            _wait(made, log)
            yield context
        postgres.remove(context.home)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _runner(context: Context, wanted: tuple[str, ...]) -> Process:
    arguments = ("--home", str(context.home.root), "--only", ",".join(wanted))
    return Process(
        name="runner",
        command=(sys.executable, "-m", "fleet.runner", *arguments),
        environment=context.environment(),
        death_signal="TERM",
    )


def _wait(made: home.Home, log: Path) -> None:
    give_up_at = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < give_up_at:
        now = state.read(made)
        if now is not None and now.phase == "ready":
            return
        if now is not None and now.phase == "failed":
            raise StartError(f"{now.failed} failed:\n{tail(made.log(now.failed))}")
        time.sleep(_LOOK_EVERY_S)
    raise StartError(f"The stores are not ready:\n{tail(log)}")
