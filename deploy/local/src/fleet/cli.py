"""The whole fleet on this machine: ``fleet up``, ``fleet status``, ``fleet down``."""

import argparse
import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import msgspec

from fleet import (
    control,
    doctor,
    edge,
    logs,
    memory,
    plan,
    play,
    ports,
    programs,
    secrets,
    services,
    state,
)
from fleet import seed as seeds
from fleet.catcher import process as catcher
from fleet.context import PYTHON, Context
from fleet.home import Home, HomeError, find, make
from fleet.settings import FleetSettings, read
from fleet.state import FleetState, Request
from fleet.stores import postgres

MARKS = {True: "ok", False: "!!"}


class Command(msgspec.Struct, frozen=True):
    """What every command works with."""

    home: Home
    settings: FleetSettings
    given: argparse.Namespace


def main() -> int:
    """Run one command; 0 where it did what was asked."""
    given = _arguments().parse_args()
    settings = read()
    act: Callable[[Command], int] = given.act
    try:
        return act(Command(find(settings), settings, given))
    except (
        control.FleetError,
        HomeError,
        programs.MissingProgramError,
        ValueError,
    ) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fleet", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, act: Callable[[Command], int]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=act.__doc__, description=act.__doc__)
        made.set_defaults(act=act)
        return made

    start = command("up", up)
    start.add_argument("--only", default="", help="names with commas; `stores` means all stores")
    start.add_argument("--free-ports", action="store_true", help="choose free ports and keep them")
    start.add_argument("--no-seed", action="store_true", help="make no demo account and project")
    command("down", down)
    command("status", status)
    log = command("logs", show_logs)
    log.add_argument("name", nargs="?", default="")
    log.add_argument("-f", "--follow", action="store_true")
    command("restart", restart).add_argument("name")
    command("clean", clean)
    command("doctor", examine)
    command("seed", seed)
    command("demo", demo)
    return parser


def up(command: Command) -> int:
    """Start the fleet in the background, and return when it is ready."""
    began = time.monotonic()
    home = command.home
    if state.is_running(home):
        _say(f"The fleet is already running, at {home.root}.")
        return status(command)
    programs.find(command.settings)
    make(home)
    _choose_ports(home, choose=command.given.free_ports)
    secrets.ensure(home.secrets)
    only = tuple(name for name in command.given.only.split(",") if name)
    # what cannot be planned is said here, and not in the runner's log
    names = {process.name for process in plan.processes(_context(command), only)}
    runner = control.start(home, only)
    found = control.until_ready(home, runner, _progress(set()))
    ready_s = time.monotonic() - began
    # the runner outlives this command
    runner.returncode = 0
    try:
        if edge.NAME in names and not command.given.no_seed:
            seed(command)
    finally:
        # the fleet runs, whatever became of the demo account
        _summary(command, found, names, ready_s)
    return 0


def down(command: Command) -> int:
    """Stop the fleet, dependants first, and leave no process."""
    began = time.monotonic()
    if control.stop(command.home):
        _say(f"The fleet has stopped in {time.monotonic() - began:.1f} s.")
    else:
        _say("The fleet was not running.")
    return 0


def status(command: Command) -> int:
    """Show every process; 1 where the fleet is not ready."""
    found = state.read(command.home)
    if found is None or not state.is_running(command.home):
        _say("The fleet is not running: `fleet up` starts it.")
        return 1
    for name, process in found.processes.items():
        if not process.once or process.condition != "done":
            _say(_line(name, process))
    size, kind = memory.resident_mib(found)
    _say(f"\n{found.phase}, {size} MiB ({kind})")
    if edge.NAME in found.processes:
        _say(f"gateway: {services.gateway_url(_context(command))}")
    if catcher.NAME in found.processes:
        _say(f"mail: {catcher.url(_context(command))}")
    _say(f"logs: {command.home.logs}, runner: process {found.pid}")
    conditions = {process.condition for process in found.processes.values()}
    return 0 if found.phase == "ready" and conditions <= {"ready", "done"} else 1


def show_logs(command: Command) -> int:
    """Show the end of a log, or of all; -f goes on."""
    name = command.given.name
    if name and not command.home.log(name).exists():
        known = sorted(path.stem for path in command.home.logs.glob("*.log"))
        raise control.FleetError(f"No log {name!r}. There are: {', '.join(known)}.")
    logs.show(command.home, name, follow=command.given.follow)
    return 0


def restart(command: Command) -> int:
    """Restart one process in order, and wait until it is ready."""
    name = command.given.name
    began = time.monotonic()
    control.act(command.home, Request("restart", name))
    _say(f"{name} is ready again after {time.monotonic() - began:.1f} s.")
    return 0


def clean(command: Command) -> int:
    """Stop the fleet and remove everything that it has written, secrets and data too."""
    down(command)
    postgres.remove(command.home)
    if command.home.root.exists():
        shutil.rmtree(command.home.root)
    _say(f"{command.home.root} is gone.")
    return 0


def examine(command: Command) -> int:
    """Look for what keeps the fleet from starting; 1 where something does."""
    findings = doctor.examine(command.home, command.settings)
    for finding in findings:
        _say(f"{MARKS[finding.is_well]}  {finding.subject}: {finding.words}")
    return 0 if all(finding.is_well for finding in findings) else 1


def seed(command: Command) -> int:
    """Make the demo account and the demo project, where they are missing."""
    context = _context(command)
    try:
        seeds.seed(services.gateway_url(context), context.secrets.demo_password)
    except seeds.SeedError as exc:
        raise control.FleetError(f"There is no demo account and project: {exc}") from exc
    except httpx.HTTPError as exc:
        raise control.FleetError(f"The gateway does not answer: {exc!r}. Is it up?") from exc
    return 0


def demo(command: Command) -> int:
    """Play the main job through the gateway, from a new account to a played game."""
    url = services.gateway_url(_context(command))
    return subprocess.call((PYTHON, "-m", "fleet.demo", "--gateway", url))


def _context(command: Command) -> Context:
    home = command.home
    if not home.secrets.exists():
        raise control.FleetError("The fleet has never been started here: `fleet up` does.")
    return plan.context(home, ports.kept(home.ports), secrets.read(home.secrets), command.settings)


def _choose_ports(home: Home, *, choose: bool) -> None:
    if choose:
        ports.keep(home.ports, ports.free())
    faults = doctor.taken(home)
    if faults:
        lines = "\n".join(f"{fault.subject} {fault.words}" for fault in faults)
        raise control.FleetError(f"{lines}\nports: {doctor.MEND_PORTS}")


def _progress(said: set[str]) -> control.Watcher:
    def watch(found: FleetState) -> None:
        for name, process in found.processes.items():
            if process.condition in ("ready", "done") and name not in said:
                said.add(name)
                _say(f"  {name:<16} {process.condition:<6} {process.ready_after_s:6.2f} s")

    return watch


def _summary(command: Command, found: FleetState, names: set[str], ready_s: float) -> None:
    context = _context(command)
    size, kind = memory.resident_mib(found)
    if edge.NAME in names:
        url = services.gateway_url(context)
        _say(f"\nGateway     {url}")
        _say(f"Documents   {url}/docs")
        _say(f"Games       {play.origin(context)}")
    if catcher.NAME in names:
        _say(f"Mail        {catcher.url(context)}")
    if edge.NAME in names:
        _say(f"Demo login  {secrets.DEMO_EMAIL}  {context.secrets.demo_password}")
    _say(f"Logs        {command.home.logs}")
    database = postgres.place(context.home)
    if not database.is_relative_to(command.home.root):
        _say(f"Database    {database}, for its user may not enter {command.home.root}")
    _say(f"Ready after {ready_s:.1f} s; the idle fleet holds {size} MiB ({kind} of all processes).")


def _line(name: str, process: state.ProcessState) -> str:
    size = memory.resident_of(process.pid) if process.pid else 0
    back = f", came back {process.restarts}x" if process.restarts else ""
    return f"{name:<16} {process.condition:<9} pid {process.pid:<8} {size:>5} MiB{back}"


def _say(words: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
