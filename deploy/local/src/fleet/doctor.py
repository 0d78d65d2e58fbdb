"""Look for what keeps a fleet from starting, and say how to mend it."""

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from fleet import control, play, ports, programs, state
from fleet.home import Home
from fleet.settings import FleetSettings

GIBIBYTE = 1 << 30
MEMORY_BYTES_MIN = 2 * GIBIBYTE
DISK_BYTES_MIN = 2 * GIBIBYTE
PYTHON = (3, 13)
MEND_PORTS = "stop what holds them, or let the fleet choose others: `fleet up --free-ports`"
# the oldest major version that the configuration is written for
OLDEST = {"envoy": 30, "nats-server": 2, "weed": 4, "postgres": 14, "redis-server": 7, "node": 20}
# Envoy has been at major version 1 for ever: its minor one counts
VERSION = {"envoy": r"/1\.(\d+)\.\d+/"}
ANY_VERSION = r"(\d+)\.\d+"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; a fault says how to mend it."""

    subject: str
    is_well: bool
    words: str


def examine(home: Home, settings: FleetSettings) -> list[Finding]:
    """Look at everything."""
    looks: tuple[Callable[[], list[Finding]], ...] = (
        _python,
        lambda: _programs(settings),
        lambda: _tools(home, settings),
        lambda: _ports(home),
        lambda: _games(home, settings),
        _memory,
        lambda: _disk(home),
        lambda: _state(home),
    )
    return [finding for look in looks for finding in look()]


def taken(home: Home) -> list[Finding]:
    """Return a finding for each port that somebody else listens on."""
    chosen = ports.by_name(ports.kept(home.ports))
    return [
        Finding(
            f"port {port} ({name})",
            is_well=False,
            words=f"is taken{_by(port)}",
        )
        for name, port in chosen.items()
        if not ports.is_free(port)
    ]


def _python() -> list[Finding]:
    version = sys.version_info[:2]
    words = f"{version[0]}.{version[1]}"
    if version == PYTHON:
        return [Finding("python", is_well=True, words=words)]
    return [Finding("python", is_well=False, words=f"is {words}; 3.13 is needed: run `make setup`")]


def _programs(settings: FleetSettings) -> list[Finding]:
    found, faults = programs.look(settings)
    findings = [
        Finding(name, is_well=False, words=rest.strip())
        for name, _, rest in (fault.partition(":") for fault in faults)
    ]
    for wanted in programs.WANTED:
        path = found.get(wanted.field)
        if path is not None:
            program = path / "postgres" if wanted.field == "postgres_bin" else path
            findings.append(_version(wanted.name, program, f"install {wanted.package}"))
    return findings


def _tools(home: Home, settings: FleetSettings) -> list[Finding]:
    findings = []
    packages = {"setpriv": "util-linux", "bwrap": "bubblewrap", "node": "nodejs 20 or later"}
    for name, package in packages.items():
        path = shutil.which(name, path=settings.path)
        if path is None:
            words = f"not found; install the system package {package}"
            findings.append(Finding(name, is_well=False, words=words))
        elif name in OLDEST:
            findings.append(_version(name, Path(path), f"install {package}"))
        else:
            findings.append(Finding(name, is_well=True, words=path))
    toolchain = home.repository / "deploy" / "toolchain" / "node_modules"
    there = toolchain.is_dir()
    words = str(toolchain) if there else "is not installed: run `make setup`"
    return [*findings, Finding("toolchain for builds", is_well=there, words=words)]


def _version(name: str, program: Path, mend: str) -> Finding:
    option = "version" if name == "weed" else "--version"
    said = subprocess.run((str(program), option), capture_output=True, text=True, check=False)
    match = re.search(VERSION.get(name, ANY_VERSION), said.stdout + said.stderr)
    if match is None:
        return Finding(name, is_well=False, words=f"{program} does not say its version; {mend}")
    if int(match.group(1)) < OLDEST[name]:
        words = f"{program} is too old ({match.group(0).strip('/')}); {mend}"
        return Finding(name, is_well=False, words=words)
    return Finding(name, is_well=True, words=f"{match.group(0).strip('/')} at {program}")


def _ports(home: Home) -> list[Finding]:
    if state.is_running(home):
        return [Finding("ports", is_well=True, words="held by this fleet, which is running")]
    faults = taken(home)
    if faults:
        return [*faults, Finding("ports", is_well=False, words=MEND_PORTS)]
    return [Finding("ports", is_well=True, words="all free")]


def _games(home: Home, settings: FleetSettings) -> list[Finding]:
    subject, number = "origin of games", play.port(settings)
    where = play.beside(ports.kept(home.ports).gateway, settings)
    words = play.fault(where)
    if not words and number is not None and not (state.is_running(home) or ports.is_free(number)):
        words = f"port {number} is taken{_by(number)}: name another one in PLAY_ORIGIN"
    return [Finding(subject, is_well=not words, words=words or where)]


def _by(port: int) -> str:
    try:
        for connection in psutil.net_connections("inet"):
            is_it = connection.laddr and connection.laddr.port == port
            if is_it and connection.status == psutil.CONN_LISTEN and connection.pid:
                process = psutil.Process(connection.pid)
                return f" by {process.name()} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""


def _memory() -> list[Finding]:
    free = psutil.virtual_memory().available
    words = f"{free / GIBIBYTE:.1f} GiB available"
    if free >= MEMORY_BYTES_MIN:
        return [Finding("memory", is_well=True, words=words)]
    return [Finding("memory", is_well=False, words=f"{words}; 2 GiB are needed: close something")]


def _disk(home: Home) -> list[Finding]:
    place = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    words = f"{free / GIBIBYTE:.1f} GiB free at {place}"
    if free >= DISK_BYTES_MIN:
        return [Finding("disk", is_well=True, words=words)]
    mend = "make room, or set WORLDLOOM_HOME to another disk"
    return [Finding("disk", is_well=False, words=f"{words}; 2 GiB are needed: {mend}")]


def _state(home: Home) -> list[Finding]:
    findings = []
    found = state.read(home)
    is_over = found is None or found.phase in ("failed", "stopped")
    if found is not None and not is_over and not state.is_running(home):
        alive = control.survivors(found)
        words = f"the runner (process {found.pid}) is gone"
        if alive:
            words += f" and {len(alive)} of its processes live"
        words += ": run `fleet down`"
        findings.append(Finding("state", is_well=False, words=words))
    if home.secrets.exists() and home.secrets.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        words = f"others may read {home.secrets}: run `chmod 600 {home.secrets}`"
        findings.append(Finding("secrets", is_well=False, words=words))
    return findings or [Finding("state", is_well=True, words="nothing left over")]
