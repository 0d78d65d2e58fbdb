"""What the cases need to know of a server that is measured."""

from collections.abc import Callable

import msgspec

from benchmarks.collab.wire import Dialect

EDITORS = 10
ROOMS = 100


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A server under measurement, ready; it may be several processes of it, its nodes."""

    name: str
    dialect: Dialect
    ports: tuple[int, ...]
    pids: tuple[int, ...]
    # the editors' access tokens
    tokens: list[str]
    # called before memory is read
    tidy: Callable[[], None]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Who edits, and in which projects: the same for all contenders."""

    tokens: list[str]
    users: list[str]
    projects: list[str]

    def document(self, room: int, path: str) -> str:
        """Name a room's document; there may be more rooms than projects."""
        lap, number = divmod(room, len(self.projects))
        return f"{self.projects[number]}/{path}{lap or ''}.ts"
