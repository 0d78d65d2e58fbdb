"""When all is quiet: what the service, its tables and its events say, beside what was told."""

import asyncio
import random
from base64 import b64decode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import asyncpg
import msgspec

from common.testing.waiting import until
from fleet.stores import postgres
from fleet.testing import Running
from tests.faults import checks, echoes
from tests.faults.client import Client
from tests.faults.door import Door, Tally
from tests.faults.echoes import Event
from tests.faults.history import Row, Tables, commits
from tests.faults.ledger import Made, Project, Tree, digest, tree_hash
from tests.faults.subscriber import Subscriber

_MOMENTS_MAX = 300
_INSIDE_MAX = 30
_AT_ONCE = 4
_BLOBS = 64
_QUIET_WITHIN_S = 60.0


class Looked(msgspec.Struct, frozen=True):
    """How much was looked at."""

    changes: int
    commits: int
    moments: int
    contents: int
    # numbers of the history inside of a commit, each of which must mean all of it
    inside: int


class Look:
    """What is looked at, and where to say what should not be."""

    def __init__(
        self, tables: Tables, door: Door, heard: dict[UUID, list[Event]], tally: Tally
    ) -> None:
        self.tables = tables
        self.door = door
        self.heard = heard
        self.tally = tally

    async def past(self, project_id: UUID, seq: int) -> Tree:
        """Return a project's tree as of ``seq``, as the service tells it to the fleet."""
        told = await self.door.ask("GET", f"/internal/projects/{project_id}/tree?seq={seq}")
        tree = {file["path"]: file["hash"] for file in told.data["files"]}
        if told.data["treeHash"] != tree_hash(tree):
            self.tally.fault("wrong pasts", f"{project_id} at {seq}: the hash is another")
        return tree

    async def project(self, project: Project, dice: random.Random) -> Looked:
        """Look at a project that clients wrote."""
        key, name, tally = project.project_id, project.path, self.tally
        rows = await self.tables.rows(key)
        checks.sequence(project, rows, await self.tables.counted(key), tally)
        trees = checks.halves(project, rows, tally)
        checks.acknowledged(project, rows, tally)
        echoes.effects(name, rows, self.heard[key], tally)
        now = await self.past(key, len(rows))
        echoes.same(name, await self.tables.tree(key), now, "wrong trees", tally)
        echoes.same(name, trees[len(rows)], now, "wrong trees", tally)
        known = await echoes.replayed(key, self.heard[key], self.past)
        echoes.same(name, known, now, "events tell another tree", tally)
        moments = dice.sample(sorted(trees), min(len(trees), _MOMENTS_MAX))
        await self._moments(project, trees, moments)
        contents = await self._contents(key, rows)
        inside = [row.seq for row in rows if row.seq not in trees]
        inside = dice.sample(inside, min(len(inside), _INSIDE_MAX))
        for seq in inside:
            await self._whole(project, trees, seq)
        return Looked(
            changes=len(rows),
            commits=len(list(commits(rows))),
            moments=len(moments),
            contents=contents,
            inside=len(inside),
        )

    async def _whole(self, project: Project, trees: dict[int, Tree], seq: int) -> None:
        """A number inside of a commit shows what was there after it."""
        told = await self.door.ask("GET", f"{project.path}/tree?at={seq}")
        tree = {entry["path"]: entry["hash"] for entry in told.data["entries"]}
        after = trees[min(one for one in trees if one > seq)]
        echoes.same(f"{project.path} at {seq}", after, tree, "half batches", self.tally)

    async def _moments(
        self, project: Project, trees: dict[int, Tree], moments: Sequence[int]
    ) -> None:
        """The service tells each past tree as the changes make it, the fleet and callers alike."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def moment(seq: int) -> None:
            async with turns:
                for_fleet = await self.past(project.project_id, seq)
                told = await self.door.ask("GET", f"{project.path}/tree?at={seq}")
            for_callers = {entry["path"]: entry["hash"] for entry in told.data["entries"]}
            where = f"{project.path} at {seq}"
            echoes.same(where, for_fleet, trees[seq], "wrong pasts", self.tally)
            echoes.same(where, for_callers, trees[seq], "wrong pasts", self.tally)

        async with asyncio.TaskGroup() as group:
            for seq in moments:
                group.create_task(moment(seq))

    async def _contents(self, project_id: UUID, rows: list[Row]) -> int:
        """Every content that a file ever had can be read, wherever it is kept."""
        hashes = sorted({row.hash for row in rows if row.hash})
        for start in range(0, len(hashes), _BLOBS):
            part = hashes[start : start + _BLOBS]
            sends = {"projectId": str(project_id), "hashes": part}
            told = await self.door.ask("POST", "/internal/blobs", sends=sends)
            found = {key: digest(b64decode(data)) for key, data in told.data["blobs"].items()}
            if found != {key: key for key in part}:
                self.tally.fault("lost or twice", f"{project_id}: contents cannot be read")
        return len(hashes)

    async def made(self, made: Made, known: set[UUID]) -> None:
        """Look at the projects that clients asked for, each all at once."""
        await checks.made(self.tables, made, known, self.tally)
        for name, key in made.acknowledged.items():
            echoes.effects(name, await self.tables.rows(key), self.heard[key], self.tally)
            tree = await echoes.replayed(key, self.heard[key], self.past)
            echoes.same(name, tree, made.trees[name], "events tell another tree", self.tally)


async def look(
    fleet: Running,
    clients: list[Client],
    made: Made,
    subscriber: Subscriber,
    dice: random.Random,
) -> Looked:
    """Look at everything, and say how much that was."""
    tally, door = clients[0].tally, clients[0].door
    async with _connected(fleet) as tables:
        for quiet in (tables.nothing_waits, subscriber.is_through):
            # what does not come to rest is found missing below
            with suppress(TimeoutError):
                await until(quiet, _QUIET_WITHIN_S)
        echoes.arrived(await tables.announced(), subscriber.events, tally)
        looking = Look(tables, door, echoes.by_project(subscriber.events), tally)
        for client in clients:
            echoes.same(client.prefix, await client.seen(), client.now, "lost", tally)
        projects = {client.project.project_id: client for client in clients}
        sums = [0] * len(Looked.__struct_fields__)
        for client in projects.values():
            looking.door = client.door
            found = await looking.project(client.project, dice)
            sums = [a + b for a, b in zip(sums, msgspec.structs.astuple(found), strict=True)]
        await looking.made(made, set(projects))
    return Looked(*sums)


@asynccontextmanager
async def _connected(fleet: Running) -> AsyncGenerator[Tables]:
    connection = await asyncpg.connect(postgres.url(fleet.context, postgres.USER))
    try:
        yield Tables(connection)
    finally:
        await connection.close()
