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
    # the project of each of its rooms
    projects: list[str]
    # called before memory is read
    tidy: Callable[[], None]

    def document(self, room: int, path: str) -> str:
        """Name a room's document; where there are more than projects, theirs are numbered."""
        return document(self.projects, room, path)


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Who edits, and in which projects."""

    tokens: list[str]
    users: list[str]
    projects: list[str]


def document(projects: list[str], room: int, path: str) -> str:
    """Name a room's document in projects that all have the same files."""
    lap, number = divmod(room, ROOMS)
    return f"{projects[number]}/{path}{lap or ''}.ts"
