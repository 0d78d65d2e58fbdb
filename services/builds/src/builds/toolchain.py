"""The tools of a build: where they are, and one word for what they are."""

import hashlib
import os
import platform
import zlib
from pathlib import Path

import brotli
from msgspec import Struct

from builds.settings import Settings

_TSC = "@typescript/typescript-linux-{arch}/lib"
_ESBUILD = "@esbuild/linux-{arch}/bin/esbuild"
_LOCK = "package-lock.json"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


class Tools(Struct, frozen=True):
    """Where the tools are. ``tsc`` is a folder: the compiler reads its declarations beside it."""

    tsc: Path
    esbuild: Path
    lock: Path


def find(settings: Settings) -> Tools:
    """Where the tools should be; whether they are there is another question."""
    home = Path(settings.toolchain_dir).absolute()
    modules = home / "node_modules"
    base = modules if modules.is_dir() else home
    machine = os.uname().machine
    arch = _ARCHITECTURES.get(machine, machine)
    return Tools(base / _TSC.format(arch=arch), base / _ESBUILD.format(arch=arch), home / _LOCK)


def digest(tools: Tools) -> str | None:
    """What the tools are, as one hash; ``None`` where they are not installed.

    What compresses belongs to them: another version may make other bytes of the same.
    """
    versions = platform.python_version(), zlib.ZLIB_RUNTIME_VERSION, brotli.__version__
    whole = hashlib.sha256("\n".join(versions).encode())
    try:
        for path in (tools.lock, tools.tsc / "tsc", tools.esbuild):
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    except OSError:
        return None
    return whole.hexdigest()
