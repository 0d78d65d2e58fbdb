"""Files that people type in and write, while processes die, freeze, or lose their database.

Each fault has documents of its own: people begin, the fault comes in the midst of their typing, and
when everybody has been answered again they stop, and everything is compared.
"""

import asyncio
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from fleet.ports import LOOPBACK
from fleet.stores import postgres
from fleet.testing import Running
from tests.faults import ghosts
from tests.trials.desk import Desk
from tests.trials.history import Tables
from tests.trials.stage import Stage, staged
from tests.trials.trial import Trial, gathered
from tests.wire import Wire, wire

_DOCUMENTS = 4
_BEGINS_S = (0.8, 2.0)
_GOES_ON_S = 0.5
_AGAIN_WITHIN_S = 60.0
_LOOK_S = 0.02
# a process that does not move, or does not reach the database, is given up after this
_LEASE_S = 10.0
_LONGER_S = 3.0


class Found(msgspec.Struct):
    """What came of it."""

    counts: Counter[str]
    closes: Counter[int]
    faults: list[str]
    # by the kind of fault: seconds from it until everybody was answered again
    recoveries: dict[str, list[float]]
    ghosts: dict[str, float]
    warnings: Counter[str]
    seconds: float = 0.0


class _Hand:
    """What does harm to the services."""

    def __init__(self, stage: Stage, to_database: Wire, dice: random.Random) -> None:
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "collab killed": lambda: self._restart(dice.choice(stage.collabs), signal.SIGKILL),
            "collab stopped in order": lambda: self._restart(
                dice.choice(stage.collabs), signal.SIGTERM
            ),
            "projects killed": lambda: self._restart(stage.projects, signal.SIGKILL),
            "PostgreSQL killed": self._kill_database,
            # nobody who types, reads or writes is to notice
            "NATS killed": lambda: asyncio.to_thread(stage.fleet.kill, "nats"),
            "collab frozen": self._freeze,
            "collab cut off its database": self._part,
        }
        self._stage = stage
        self._to_database = to_database
        self._dice = dice
        self._restart = stage.restart

    async def _kill_database(self) -> None:
        async with self._stage.trouble("SIGKILL PostgreSQL"):
            await asyncio.to_thread(self._stage.fleet.kill, "postgres")

    async def _freeze(self) -> None:
        """For longer than its lease: when it moves again, it is not the owner any more."""
        child = self._dice.choice(self._stage.collabs)
        async with self._stage.trouble(f"SIGSTOP {child.name}"):
            child.send(signal.SIGSTOP)
            try:
                await asyncio.sleep(_LEASE_S + _LONGER_S)
            finally:
                child.send(signal.SIGCONT)

    async def _part(self) -> None:
        """Of those who type with it nothing is kept meanwhile, and so nothing acknowledged."""
        async with self._stage.trouble("the first process has no database"):
            self._to_database.cut()
            try:
                await asyncio.sleep(_LEASE_S + _LONGER_S)
            finally:
                self._to_database.mend()


async def run(fleet: Running, rounds: int, seed: int, say: Callable[[str], None]) -> Found:
    """Do every kind of harm some times, and look for those who vanish."""
    began = time.monotonic()
    dice = random.Random(seed)
    found = Found(Counter(), Counter(), [], defaultdict(list), {}, Counter())
    async with AsyncExitStack() as stack:
        stage, to_database = await stack.enter_async_context(_stage(fleet))
        desk = Desk(stage, stage.auth)
        stack.push_async_callback(desk.close)
        pool = await stack.enter_async_context(
            asyncpg.create_pool(postgres.url(fleet.context, postgres.USER), min_size=0, max_size=4)
        )
        hand = _Hand(stage, to_database, dice)
        kinds = [kind for _ in range(rounds) for kind in hand.kinds]
        dice.shuffle(kinds)
        for number, kind in enumerate(kinds, 1):
            seeds = [f"{seed}:{number}:{document}" for document in range(_DOCUMENTS)]
            seconds = await _round(desk, Tables(pool), seeds, dice, hand.kinds[kind], found)
            found.recoveries[kind].append(seconds)
            say(f"{number} of {len(kinds)}: {kind}, in sync again after {seconds:.1f} s")
        if rounds:
            found.ghosts = await ghosts.vanish(desk, stage)
        found.warnings = stage.warnings()
    found.seconds = time.monotonic() - began
    return found


@asynccontextmanager
async def _stage(fleet: Running) -> AsyncGenerator[tuple[Stage, Wire]]:
    """The services with their own settings; the first collab's way to its database can be cut."""
    async with wire(fleet.ports.postgres) as to_database:
        address = urlsplit(fleet.env("collab")["DATABASE_URL"])
        user = address.netloc.rpartition("@")[0]
        parted = address._replace(netloc=f"{user}@{LOOPBACK}:{to_database.port}")
        async with staged(fleet, {}, {"DATABASE_URL": urlunsplit(parted)}) as stage:
            yield stage, to_database


async def _round(
    desk: Desk,
    tables: Tables,
    seeds: list[str],
    dice: random.Random,
    harm: Callable[[], Awaitable[None]],
    found: Found,
) -> float:
    over = asyncio.Event()
    teams = [await gathered(desk) for _ in seeds]
    trials = [
        Trial(one, desk, tables, team, "live/a.txt", over)
        for one, team in zip(seeds, teams, strict=True)
    ]
    playing = [asyncio.create_task(trial.run()) for trial in trials]
    await asyncio.sleep(dice.uniform(*_BEGINS_S))
    began = time.monotonic()
    harming = asyncio.ensure_future(harm())
    seconds = await _answered_again(trials, began)
    await harming
    await _answered_again(trials, time.monotonic())
    await asyncio.sleep(_GOES_ON_S)
    over.set()
    for trial, faults in zip(trials, await asyncio.gather(*playing), strict=True):
        trial.tally(found.counts, found.closes)
        found.faults += [f"{trial.seed}: {fault}" for fault in faults]
        if faults:
            found.faults += ["", *trial.ledger.log, ""]
    return seconds


async def _answered_again(trials: list[Trial], since: float) -> float:
    """Wait until everybody has asked since then, and was answered."""
    typists = [typist for trial in trials for typist in trial.typists]
    while not all(typist.asked_at >= since for typist in typists):
        if time.monotonic() - since > _AGAIN_WITHIN_S:
            break
        await asyncio.sleep(_LOOK_S)
    return time.monotonic() - since
