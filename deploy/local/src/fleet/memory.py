"""How much memory the fleet holds."""

from contextlib import suppress

import psutil

from fleet.state import FleetState

MEBIBYTE = 1 << 20
COMMAND_CHARS_MAX = 100


def resident_mib(found: FleetState) -> tuple[int, str]:
    """Return the sum over all processes of the fleet, and which figure it is a sum of.

    The proportional size counts a shared page once; where it may not be read (other users'
    processes), the resident size counts it for each process, which is too much, never too little.
    """
    family = _family(found)
    try:
        return _sum_mib([process.memory_full_info().pss for process in family]), "PSS"
    except (psutil.AccessDenied, AttributeError):
        return _sum_mib([process.memory_info().rss for process in family]), "RSS"


def resident_of(pid: int) -> int:
    """Return the resident size of one process and its children, in MiB; 0 where it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return _sum_mib([member.memory_info().rss for member in family])
    except psutil.NoSuchProcess:
        return 0


def largest(found: FleetState, count: int = 10) -> list[str]:
    """Return which processes of the fleet hold most, each with its resident size in MiB."""
    sizes: list[tuple[int, str]] = []
    for process in _family(found):
        with suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())[:COMMAND_CHARS_MAX]
            sizes.append((_sum_mib([process.memory_info().rss]), command))
    return [f"{size} MiB: {command}" for size, command in sorted(sizes, reverse=True)[:count]]


def _family(found: FleetState) -> list[psutil.Process]:
    runner = psutil.Process(found.pid)
    return [runner, *runner.children(recursive=True)]


def _sum_mib(sizes: list[int]) -> int:
    return sum(sizes) // MEBIBYTE
