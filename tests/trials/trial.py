"""One trial: two who write a file over HTTP, three who type in it, and what is there in the end."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID

import msgspec

from common.ids import uuid7
from tests.trials import history
from tests.trials.desk import Desk
from tests.trials.history import Tables
from tests.trials.ledger import Addition, Ledger, Span, digest
from tests.trials.place import Place
from tests.trials.steps import STEPS
from tests.trials.typist import Typist
from tests.trials.words import Words
from tests.trials.writer import Writer

_WRITERS, _TYPISTS = 2, 3
_STEPS = (3, 7)
_KEYS = (4, 12)
_PAUSE_S = (0.0, 0.06)
_LEISURELY_S = (0.05, 0.35)
_AGREE_WITHIN_S = 30.0
_LOOK_S = 0.05

type Key = Callable[[Typist], Awaitable[None]]


class Team(msgspec.Struct, frozen=True):
    """A project, and who may write in it; the first owns it."""

    project: UUID
    writers: list[UUID]
    typists: list[UUID]


async def gathered(desk: Desk) -> Team:
    """Make a project, and let everybody in."""
    owner, *others = users = [uuid7() for _ in range(_WRITERS + _TYPISTS)]
    made = await desk.sure(owner, "POST", "/projects", sends={"name": "Trials"})
    for user in others:
        body = {"userId": str(user), "role": "editor"}
        await desk.sure(owner, "POST", f"/projects/{made['id']}/collaborators", sends=body)
    return Team(UUID(made["id"]), users[:_WRITERS], users[_WRITERS:])


async def _away(typist: Typist) -> None:
    """Lose the connection, type on without one, come back."""
    await typist.drop(politely=typist.dice.random() < 1 / 4)
    for _ in range(typist.dice.randint(0, 4)):
        await (typist.insert if typist.dice.random() < 2 / 3 else typist.delete)()
        await asyncio.sleep(typist.dice.uniform(*_PAUSE_S))
    await typist.online()


# and how often each of it
_KEYS_PRESSED: list[tuple[Key, int]] = [
    (Typist.insert, 56),
    (Typist.delete, 14),
    (Typist.sync, 14),
    (Typist.point, 4),
    (_away, 10),
]


class Trial:
    """One trial; all dice fall as its seed says."""

    def __init__(
        self,
        seed: str,
        desk: Desk,
        tables: Tables,
        team: Team,
        path: str,
        over: asyncio.Event | None = None,
    ) -> None:
        self.seed = seed
        # until then everybody goes on, at leisure; else each has so and so much to do
        self._over = over
        self._pause_s = _PAUSE_S if over is None else _LEISURELY_S
        self._dice = random.Random(seed)
        self._desk = desk
        self._tables = tables
        self._team = team
        words = Words(self._own())
        self.ledger = Ledger(words)
        self._place = Place(path, self.ledger)
        connect = desk.connector(team.project, self._own())
        self.typists = [
            Typist(f"t{n}", user, self.ledger, self._own(), connect, lambda: self._place.path)
            for n, user in enumerate(team.typists, 1)
        ]
        self._writers = [
            Writer(f"w{n}", user, desk, team.project, self._place, self.ledger, self._own())
            for n, user in enumerate(team.writers, 1)
        ]

    def _own(self) -> random.Random:
        """Dice of one's own, which fall as the seed says, however fast the others throw."""
        return random.Random(self._dice.random())

    async def run(self) -> list[str]:
        """Play it, and return what should not have been."""
        stage, witness = self._desk.stage, self.ledger.witness
        stage.witnesses.add(witness)
        if stage.is_in_trouble:
            witness("somebody is ended", is_over=False)
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                for writer in self._writers:
                    group.create_task(self._write(writer))
                for typist in self.typists:
                    group.create_task(self._type(typist))
            await self._end()
        except* Exception as group_of:  # noqa: BLE001 - whatever goes wrong is told with the log
            for exc in _leaves(group_of):
                self.ledger.fault(f"{type(exc).__name__}: {exc}")
        finally:
            stage.witnesses.discard(witness)
            await asyncio.gather(*(t.close() for t in self.typists), return_exceptions=True)
        return self.ledger.faults

    def tally(self, counts: Counter[str], closes: Counter[int]) -> None:
        """Add up how much was done."""
        for writer in self._writers:
            counts.update(writer.counts)
        for typist in self.typists:
            counts.update(typist.counts)
            closes.update(code for code in typist.closes if code)
        counts["things seen"] += len(self.ledger.observations)
        counts["things seen of which the text is unknown"] += self.ledger.unresolved

    async def _begin(self) -> None:
        ledger, writer = self.ledger, self._writers[0]
        words = [ledger.words.new("start") for _ in range(self._dice.randint(0, 12))]
        text = "".join(word.text + self._dice.choice("  \n") for word in words)
        span = Span(ledger.now())
        for word in words:
            ledger.add(word, Addition(span=span, is_sure=True))
        path = f"{writer.file(self._place.path)}"
        await self._desk.sure(writer.user, "PUT", path, sends={"content": text})
        span.end = ledger.now()
        for one in self._writers:
            one.seen, one.tag = text, ledger.know(text)
        ledger.note("start", ledger.words.spelled(text))

    async def _write(self, writer: Writer) -> None:
        doing, weights = zip(*STEPS, strict=True)
        for _ in self._turns(writer.dice.randint(*_STEPS)):
            await asyncio.sleep(writer.dice.uniform(*self._pause_s))
            [step] = writer.dice.choices(doing, weights)
            await step(writer)

    async def _type(self, typist: Typist) -> None:
        doing, weights = zip(*_KEYS_PRESSED, strict=True)
        await asyncio.sleep(typist.dice.uniform(*_PAUSE_S))
        await typist.online()
        for _ in self._turns(typist.dice.randint(*_KEYS)):
            await asyncio.sleep(typist.dice.uniform(*self._pause_s))
            [press] = typist.dice.choices(doing, weights)
            await press(typist)
            if self._over is not None:
                await typist.sync()

    def _turns(self, count: int) -> Iterator[int]:
        return itertools.takewhile(
            lambda number: number < count if self._over is None else not self._over.is_set(),
            itertools.count(),
        )

    async def _end(self) -> None:
        """When all have stopped: everybody and everything has the same text."""
        ledger = self.ledger
        ledger.note("end", "all have stopped")
        for typist in self.typists:
            await typist.sync()
        text = await self._agreed()
        if self._dice.random() < 1 / 2:
            await self._settled(text)
        else:
            await asyncio.gather(*(typist.close() for typist in self.typists))
            await self._left(text)
        versions = await self._tables.versions(self._team.project, self._place.path)
        for entry in await self._tables.log(self._team.project, self._place.path):
            ledger.note("document", entry)
        users = {typist.name: str(typist.user) for typist in self.typists}
        users |= {writer.name: str(writer.user) for writer in self._writers}
        history.check(versions, text, users, ledger)
        ledger.judge()

    async def _agreed(self) -> str:
        """Wait until all replicas and the file that is read are one text, and return it."""
        ledger, writer, stage = self.ledger, self._writers[0], self._desk.stage
        give_up_at = 0.0
        while True:
            for typist in self.typists:
                await typist.sync()
            reply, span = await writer.ask("GET", writer.file(self._place.path))
            texts = {typist.name: typist.replica() for typist in self.typists}
            if reply.is_done:
                texts["file"] = reply.data["content"]
                ledger.see("the end", span, texts["file"])
            states = [typist.state() for typist in self.typists]
            is_same = len(set(texts.values())) == 1 and all(s == states[0] for s in states)
            if reply.is_done and is_same:
                return texts["file"]
            # while something is restarted nobody has to agree
            if stage.is_in_trouble or not give_up_at:
                give_up_at = time.monotonic() + _AGREE_WITHIN_S
            elif time.monotonic() > give_up_at:
                told = [f"{name}: {ledger.words.spelled(text)}" for name, text in texts.items()]
                raise AssertionError(f"They do not agree: {'; '.join(told)}")
            await asyncio.sleep(_LOOK_S)

    async def _settled(self, text: str) -> None:
        """Who sees the file among the others sees what was typed."""
        address = f"/projects/{self._team.project}/tree"
        tree = await self._desk.sure(self._team.writers[0], "GET", address)
        found = {entry["path"]: entry["hash"] for entry in tree["entries"]}
        if found.get(self._place.path) != digest(text):
            self.ledger.fault("The tree has not what was typed.")

    async def _left(self, text: str) -> None:
        """What was typed is written back when the last has left."""
        async with asyncio.timeout(_AGREE_WITHIN_S):
            while True:
                found = await self._tables.hash(self._team.project, self._place.path)
                if found == digest(text):
                    return
                await asyncio.sleep(_LOOK_S)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for exc in group.exceptions:
        found += _leaves(exc) if isinstance(exc, BaseExceptionGroup) else [exc]
    return found
