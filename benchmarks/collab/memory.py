"""What connections and documents take of memory, in processes that have done nothing before."""

import time

import msgspec

from benchmarks.collab import cores, crowd
from benchmarks.collab.contender import Contender
from benchmarks.collab.field import say

CONNECTIONS, ROOMS = 1_000, 10
DOCUMENTS, TEXT_BYTES = 300, 10_240
PATH_IDLE, PATH_TEXT = "idle", "text"
_WARM = 20
_SETTLES_S = 1.5


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """One contender's memory in bytes: proportional, and for the process resident too."""

    contender: str
    empty_rss: int
    full_rss: int
    connection: float
    document: float


def measured(contender: Contender) -> Remembered:
    """Open many idle connections, then many documents, and see what each takes."""
    idle = [contender.document(room, PATH_IDLE) for room in range(ROOMS)]
    texts = [contender.document(room, PATH_TEXT) for room in range(DOCUMENTS)]
    with crowd.crowd(contender, idle[:1], _WARM):
        pass
    empty_rss, empty = _settled(contender)
    with crowd.crowd(contender, idle, CONNECTIONS // ROOMS) as rooms:
        _, connected = _settled(contender)
        crowd.breathe(rooms)
        with crowd.crowd(contender, texts, 1):
            full_rss, full = _settled(contender)
    connection = (connected - empty) / CONNECTIONS
    made = Remembered(
        contender=contender.name,
        empty_rss=empty_rss,
        full_rss=full_rss,
        connection=connection,
        document=(full - connected) / DOCUMENTS - connection,
    )
    say(
        f"{contender.name}: {made.connection / 1024:.1f} KiB a connection, "
        f"{made.document / 1024:.1f} KiB a document"
    )
    return made


def _settled(contender: Contender) -> tuple[int, int]:
    time.sleep(_SETTLES_S)
    contender.tidy()
    return cores.memory_bytes(contender.pids)
