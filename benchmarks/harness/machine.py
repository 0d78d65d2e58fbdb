"""Which machine the numbers are from."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

_ASKED_WITHIN_S = 10.0


def described(postgres: Path, path: str) -> list[str]:
    """Describe the machine and the programs, a line for each."""
    memory_gb = psutil.virtual_memory().total / 2**30
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in ("litestar", "granian", "asyncpg"))
    node = _said("node", "--version", path=path)
    return [
        f"{_processor()}, {os.cpu_count()} processors, {memory_gb:.0f} GiB",
        f"Linux {platform.release()}; load before: {loads}",
        f"Python {platform.python_version()}, {packages}",
        f"Node {node}; {_said(str(postgres / 'postgres'), '--version', path=path)}",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _said(program: str, *arguments: str, path: str) -> str:
    ended = subprocess.run(
        (program, *arguments),
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=_ASKED_WITHIN_S,
    )
    return ended.stdout.strip()
