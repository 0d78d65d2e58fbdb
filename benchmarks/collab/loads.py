"""How much a server can take, and how it is with a thousand people who just type."""

from collections.abc import Iterator

import msgspec

from benchmarks.collab import crowd, drive, search
from benchmarks.collab.contender import Contender
from benchmarks.collab.drive import Driven
from benchmarks.collab.field import Field, say

_CHECKED = 5


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How many clients in how many rooms. A pace is words a second of one client.

    ``path`` is what the case and its documents are called.
    """

    name: str
    path: str
    rooms: int
    clients: int
    pace: float
    # whether it is looked for the highest pace, from ``pace`` on
    is_searched: bool = True


LOADS = (
    Load(name="100 rooms, 10 clients each", path="many", rooms=100, clients=10, pace=4),
    Load(name="1 room, 50 clients", path="one", rooms=1, clients=50, pace=30),
    Load(
        name="1,000 people typing",
        path="people",
        rooms=100,
        clients=10,
        pace=5,
        is_searched=False,
    ),
)

TWO_NODES = Load(
    name="Two nodes, 100 rooms, 10 clients each", path="nodes", rooms=100, clients=10, pace=4
)


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """One contender under one load in one round; nothing where no pace was slow enough."""

    load: str
    contender: str
    round: int
    driven: Driven | None


class Paces:
    """How fast each contender was the last time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}

    def run(self, field: Field, load: Load, contender: Contender, number: int) -> Loaded:
        """Measure one contender under one load; the round 0 does not count."""
        documents = [contender.document(n, f"{load.path}{number}-") for n in range(load.rooms)]
        with crowd.crowd(contender, documents, load.clients) as rooms:
            crowd.listen(rooms[:_CHECKED])
            driven = self._driven(field, load, contender, number, rooms)
            crowd.check(contender, rooms[:_CHECKED])
        return Loaded(load=load.name, contender=contender.name, round=number, driven=driven)

    def _driven(
        self,
        field: Field,
        load: Load,
        contender: Contender,
        number: int,
        rooms: list[crowd.Room],
    ) -> Driven | None:
        watch, key = field.watch(contender), (load.name, contender.name)

        def tell(driven: Driven) -> None:
            say(f"round {number}, {load.name}, {contender.name}: {told(driven)}")

        if not load.is_searched:
            driven = drive.type_on(rooms, load.pace, field.seconds * 2, watch)
            tell(driven)
            return driven
        if number == 0:
            self._known[key] = search.about(rooms, load.pace, watch, tell)
            return None
        best = search.highest(rooms, self._known[key], field.seconds, watch, tell)
        if best is not None:
            self._known[key] = best.pace
        return best


def told(driven: Driven) -> str:
    """Say in a line what came of it."""
    share = driven.share
    how = "hopeless" if driven.is_hopeless else f"p99 {driven.p99 * 1e3:.0f} ms"
    return (
        f"{driven.delivered_per_s:.0f} deliveries/s, {how}, p50 {driven.p50 * 1e3:.1f} ms; "
        f"server {share.server:.0%}, harness {share.harness:.0%}, "
        f"late {driven.late * 1e3:.0f} ms, beside {share.stores:.0%}; "
        f"others there {share.disturbed:.0%}, elsewhere {share.other_cores:.0%}"
    )


def rounds(field: Field, loads: list[Load]) -> Iterator[Loaded]:
    """Measure all rounds."""
    paces = Paces()
    for number in range(field.rounds + 1):
        for load in loads:
            for contender in field.turns(number):
                loaded = paces.run(field, load, contender, number)
                if number:
                    yield loaded
