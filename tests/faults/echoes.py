"""Whether who only hears the events knows what the tables have."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from common.contracts.base import CloudEvent
from tests.faults.client import differing
from tests.faults.door import Tally
from tests.faults.history import Row, commits, stepped
from tests.faults.ledger import Tree

type Event = CloudEvent[dict[str, Any]]
type Past = Callable[[UUID, int], Awaitable[Tree]]

FILLED = "projects.tree.filled.v1"
MOVED = "projects.file.moved.v1"
DELETED = "projects.file.deleted.v1"
CREATED = "projects.file.created.v1"
UPDATED = "projects.file.updated.v1"
_FILES = frozenset({FILLED, MOVED, DELETED, CREATED, UPDATED})


def arrived(
    announced: dict[UUID, tuple[str, bool]], heard: dict[UUID, Event], tally: Tally
) -> None:
    """Every event of the outbox has left and was heard, and none that was not announced."""
    for event_id, (subject, has_left) in announced.items():
        if event_id not in heard or not has_left:
            tally.fault("events missing", f"{subject} {event_id}")
    for event_id in heard.keys() - announced.keys():
        tally.fault("events of nothing", f"{heard[event_id].type} {event_id}")


def by_project(heard: dict[UUID, Event]) -> dict[UUID, list[Event]]:
    """Return the events about files, in the order in which they were heard."""
    found: dict[UUID, list[Event]] = defaultdict(list)
    for event in heard.values():
        if event.type in _FILES:
            found[UUID(event.subject)].append(event)
    return found


def effects(name: str, rows: list[Row], events: list[Event], tally: Tally) -> None:
    """Each change has one effect in the stream, and those are in the order of the changes."""
    right: list[tuple[str, str, int, str | None]] = []
    filled = [event for event in events if event.type == FILLED]
    until = int(filled[0].data["seq"]) if filled else 0
    tree: Tree = {}
    for part in commits(rows):
        right += [
            (kind, row.path, row.version, row.hash or _moved(row, tree))
            for row in part
            if row.seq > until and (kind := _kind(row, tree))
        ]
        tree = stepped(tree, part)
    found = [
        (e.type, e.data["path"], e.data["version"], e.data.get("hash"))
        for e in events
        if e.type != FILLED
    ]
    if found == right and len(filled) <= 1:
        return
    if Counter(found) == Counter(right):
        tally.fault("events out of order", name)
    for missing in Counter(right) - Counter(found):
        tally.fault("changes without an event", f"{name}: {missing}")
    for surplus in Counter(found) - Counter(right):
        tally.fault("events of nothing", f"{name}: {surplus}")


def _kind(row: Row, before: Tree) -> str:
    """The event that tells of a change; none where that of the place it came from does."""
    if row.moved_to is not None:
        return MOVED
    if row.hash is None:
        return DELETED
    if row.moved_from is not None and before.get(row.moved_from) == row.hash:
        return ""
    return UPDATED if row.path in before else CREATED


def _moved(row: Row, before: Tree) -> str | None:
    return before.get(row.path) if row.moved_to else None


async def replayed(project_id: UUID, events: list[Event], past: Past) -> Tree:
    """Return the tree as who only heard the events knows it."""
    known: Tree = {}
    for event in events:
        data = event.data
        match event.type:
            case "projects.tree.filled.v1":
                known = await past(project_id, data["seq"])
            case "projects.file.moved.v1":
                known.pop(data["path"], None)
                known[data["to"]] = data["hash"]
            case "projects.file.deleted.v1":
                known.pop(data["path"], None)
            case _:
                known[data["path"]] = data["hash"]
    return known


def same(name: str, found: Tree, right: Tree, kind: str, tally: Tally) -> None:
    """See that two ways to a tree lead to the same."""
    if found != right:
        tally.fault(kind, f"{name}: {differing(found, right)}")
