"""One processor for the server that is measured, the others for everything else."""

import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

_ALONE = 1


class Cores(msgspec.Struct, frozen=True):
    """Which processors are whose."""

    server: int
    others: frozenset[int]

    @property
    def is_shared(self) -> bool:
        """Whether there is only one, for all."""
        return self.server in self.others


def split() -> Cores:
    """Keep this process, and all that it starts from now on, off the servers' processor."""
    mine = os.sched_getaffinity(0)
    server = max(mine)
    others = frozenset(mine - {server}) if len(mine) > _ALONE else frozenset(mine)
    os.sched_setaffinity(0, others)
    return Cores(server, others)


def pinned(core: int, *command: str) -> tuple[str, ...]:
    """Return the command, to be run on one processor alone."""
    return ("taskset", "--cpu-list", str(core), *command)


class Reading(msgspec.Struct, frozen=True):
    """What had been used at some moment, in seconds."""

    at: float
    server: dict[int, float]
    harness: float
    stores: dict[int, float]
    server_core: float
    other_cores: float


class Share(msgspec.Struct, frozen=True):
    """What was used between two readings, as shares of one processor.

    ``disturbed`` is what others used of the server's; ``other_cores`` is how busy the rest was.
    """

    server: float
    harness: float
    stores: float
    disturbed: float
    other_cores: float


def read(cores: Cores, pids: tuple[int, ...], store_pids: tuple[int, ...]) -> Reading:
    """Read the accounts of the servers, the stores, this process and the processors."""
    busy = _busy_s()
    return Reading(
        at=time.perf_counter(),
        server=_used_s(pids),
        harness=time.process_time(),
        stores=_used_s(store_pids),
        server_core=busy[cores.server],
        other_cores=sum(busy[core] for core in cores.others) / len(cores.others),
    )


def between(before: Reading, after: Reading) -> Share:
    """Return what was used between two readings."""
    took = after.at - before.at
    server = _grown(before.server, after.server) / took
    return Share(
        server=server,
        harness=(after.harness - before.harness) / took,
        stores=_grown(before.stores, after.stores) / took,
        disturbed=max(0.0, (after.server_core - before.server_core) / took - server),
        other_cores=(after.other_cores - before.other_cores) / took,
    )


def _grown(before: dict[int, float], after: dict[int, float]) -> float:
    """What processes used that were there at both moments."""
    return sum(used - before[pid] for pid, used in after.items() if pid in before)


def beside(pids: tuple[int, ...]) -> tuple[int, ...]:
    """Return the processes that this one started, but for the servers that are measured."""
    found = psutil.Process().children(recursive=True)
    return tuple(process.pid for process in found if process.pid not in pids)


def _used_s(pids: tuple[int, ...]) -> dict[int, float]:
    """What processes have used, by the scheduler's account, which has no ticks."""
    used: dict[int, float] = {}
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                nanoseconds = int(task.read_text(encoding="ascii").split()[0])
                used[pid] = used.get(pid, 0.0) + nanoseconds / 1e9
    return used


def _busy_s() -> list[float]:
    return [
        sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
        for times in psutil.cpu_times(percpu=True)
    ]


def memory_bytes(pids: tuple[int, ...]) -> tuple[int, int]:
    """Return the resident and the proportional memory of processes."""
    found = [psutil.Process(pid).memory_full_info() for pid in pids]
    return sum(m.rss for m in found), sum(m.pss for m in found)
