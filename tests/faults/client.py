"""One client: it owns files that nobody else writes, and writes others together with the rest."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from tests.faults.door import Door, Reply, Tally
from tests.faults.ledger import SLOTS, Project, Tree, digest

_LARGE = 40_000
_PAUSE_S = 0.12


class Client:
    """Somebody at work. ``now`` is what its own files are, as far as it was answered."""

    def __init__(
        self, number: int, project: Project, door: Door, dice: random.Random, tally: Tally
    ) -> None:
        self.number = number
        self.project = project
        self.ledger = project.ledger
        self.door = door
        self.dice = dice
        self.tally = tally
        self.prefix = f"own/{number}/"
        self.now: Tree = {}
        self._count = 0

    async def work(
        self, steps: list[tuple[Callable[["Client"], Awaitable[None]], int]], over: asyncio.Event
    ) -> None:
        """Take one step after another until it is over; none is left half done."""
        doing, weights = zip(*steps, strict=True)
        while not over.is_set():
            [step] = self.dice.choices(doing, weights)
            await step(self)
            await asyncio.sleep(self.dice.uniform(0, _PAUSE_S))

    def stamp(self) -> str:
        """Return what no other content has in it."""
        self._count += 1
        return f"{self.number}-{self._count}"

    def content(self, more: str = "") -> str:
        """Return a content that there was never before; now and then one for the object store."""
        size = _LARGE if self.dice.random() < 1 / 12 else self.dice.randrange(400)
        return f"{more}{self.stamp()}\n" + "x" * size

    def file(self, path: str) -> str:
        """Return a file's address."""
        return f"{self.project.path}/files/{quote(path)}"

    async def batch(self, operations: list[dict[str, str]], after: Tree | None = None) -> Reply:
        """Take steps at once: all, or none."""
        return await self.door.ask(
            "POST",
            f"{self.project.path}/files/batch",
            sends={"operations": operations},
            look=None if after is None else self.looking(after),
            headers={"idempotency-key": self.door.key()},
        )

    def looking(self, after: Tree) -> Callable[[], Awaitable[None]]:
        """Return what sees that the client's files are as before a step, or as after it."""

        async def look() -> None:
            tree = await self.seen()
            if tree not in (self.now, after):
                self.tally.fault("lost", f"client {self.number}: {differing(tree, self.now)}")

        return look

    async def seen(self) -> Tree:
        """Return the client's own files as the service has them."""
        tree = await self.door.ask("GET", f"{self.project.path}/tree?prefix={self.prefix}")
        return {entry["path"]: entry["hash"] for entry in tree.data["entries"]}

    def settle(self, changes: dict[str, str | None]) -> None:
        """Note what was acknowledged."""
        for path, content in changes.items():
            self.ledger.own[path].append(content)
            if content is None:
                del self.now[path]
            else:
                self.now[path] = content

    def expect(self, reply: Reply, right: set[int], what: str) -> bool:
        """See that an answer is one of the right ones."""
        if reply.status not in right:
            self.tally.fault(
                "wrong answers", f"{what}: {reply.status} {reply.code}, {reply.lost} lost before"
            )
        return reply.status in right

    def group(self, folder: str) -> tuple[str, dict[str, str]]:
        """Return a new mark, and a content with it for each place of a group's folder."""
        mark = self.stamp()
        contents = {f"{folder}{slot}": f"{mark}\n{slot}\n" for slot in range(SLOTS)}
        self.ledger.marks |= {digest(text): mark for text in contents.values()}
        return mark, contents


def differing(found: Tree, right: Tree) -> str:
    """Say where two trees differ."""
    paths = [p for p in found.keys() | right.keys() if found.get(p) != right.get(p)]
    told = [f"{p}: {str(found.get(p))[:8]}, not {str(right.get(p))[:8]}" for p in sorted(paths)]
    return "; ".join(told[:5])
