"""What the rounds need to know of each server that is measured."""

from collections.abc import Callable
from uuid import UUID

import msgspec
import psutil

type Identify = Callable[[UUID], dict[str, str]]


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A server under measurement, filled and ready."""

    name: str
    url: str
    # more than one where a request passes through several processes
    pids: tuple[int, ...]
    # the headers that say who calls
    identify: Identify
    # the ids of the world's projects, in the world's order
    project_ids: list[str]
    # the database as its administrator sees it, and the outbox in it
    database_url: str
    outbox: str
    # whether it publishes its outbox while it is measured
    relays: bool = False


class Usage(msgspec.Struct, frozen=True):
    """What a contender's processes have used so far."""

    cpu_s: float
    memory_bytes: int


def usage(contender: Contender) -> Usage:
    """Read the processes' user and system time, and their resident memory."""
    cpu_s = 0.0
    memory_bytes = 0
    for pid in contender.pids:
        process = psutil.Process(pid)
        times = process.cpu_times()
        cpu_s += times.user + times.system
        memory_bytes += process.memory_info().rss
    return Usage(cpu_s, memory_bytes)
