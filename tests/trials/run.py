"""Many trials at once, while processes are restarted, and what came of them."""

import asyncio
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg
import msgspec

from common.testing.waiting import until
from fleet.stores import postgres
from fleet.testing import Running
from tests.trials.desk import Desk
from tests.trials.history import Tables
from tests.trials.stage import QUICK, Stage, staged
from tests.trials.trial import Team, Trial, gathered

_GROUP = 400
_TEAMS = 12
_TOLD_EVERY_S = 20.0
_MARKS_GO_WITHIN_S = 10.0


class Given(msgspec.Struct, frozen=True):
    """What a run was asked for."""

    count: int
    seed: int
    at_once: int = 32
    # how long nothing is restarted, on the average; 0: nothing is
    restart_every_s: float = 30.0
    # the one trial that is played again and again, or all from 1 on
    only: int = 0
    faults_max: int = 5


class Outcome:
    """What came of a run."""

    def __init__(self) -> None:
        self.done = 0
        self.failed: list[tuple[str, list[str]]] = []
        self.counts: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.restarts: list[str] = []
        self.warnings: Counter[str] = Counter()
        self.marks_left: list[str] = []
        self.tails = ""
        self.seconds = 0.0

    @property
    def is_good(self) -> bool:
        """Whether all was as it should be.

        A mark may stay where a service was away as its file was closed: that costs whoever reads
        the file next a question, and goes with it.
        """
        return self.done > 0 and not self.failed


async def run(fleet: Running, given: Given) -> Outcome:
    """Play the trials, group by group."""
    outcome = Outcome()
    began = time.monotonic()
    dice = random.Random(given.seed)
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(fleet, QUICK))
        desk = Desk(stage, stage.auth)
        stack.push_async_callback(desk.close)
        pool = await stack.enter_async_context(
            asyncpg.create_pool(postgres.url(fleet.context, postgres.USER), min_size=1, max_size=4)
        )
        player = _Player(given, desk, Tables(pool), outcome)
        async with _beside(_tell(outcome, given)), _beside(_restart(stage, given, dice)):
            for group in itertools.batched(range(1, given.count + 1), _GROUP, strict=False):
                await player.group(group)
                if len(outcome.failed) >= given.faults_max:
                    break
        outcome.restarts = stage.restarts
        outcome.warnings = stage.warnings()
        outcome.tails = stage.tails() if outcome.failed else ""
    outcome.seconds = time.monotonic() - began
    return outcome


class _Player:
    def __init__(self, given: Given, desk: Desk, tables: Tables, outcome: Outcome) -> None:
        self.given = given
        self.outcome = outcome
        self._desk = desk
        self._tables = tables

    async def group(self, numbers: Sequence[int]) -> None:
        """Play some trials, some at once, in a few projects; then no file is marked as live."""
        count = min(_TEAMS, len(numbers))
        teams = await asyncio.gather(*(gathered(self._desk) for _ in range(count)))
        turns = asyncio.Semaphore(self.given.at_once)

        async def one(number: int) -> None:
            async with turns:
                if len(self.outcome.failed) < self.given.faults_max:
                    await self._play(number, teams[number % count])

        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(one(number))
        projects = [team.project for team in teams]

        async def no_marks() -> bool:
            return not await self._tables.marks(projects)

        async with self._desk.stage.calm:
            try:
                await until(no_marks, _MARKS_GO_WITHIN_S)
            except TimeoutError:
                self.outcome.marks_left += await self._tables.marks(projects)

    async def _play(self, number: int, team: Team) -> None:
        seed = f"{self.given.seed}:{self.given.only or number}"
        trial = Trial(seed, self._desk, self._tables, team, f"trial-{number}/a.txt")
        faults = await trial.run()
        outcome = self.outcome
        outcome.done += 1
        trial.tally(outcome.counts, outcome.closes)
        if faults:
            outcome.failed.append((seed, faults))
            story = "\n".join([*faults, "", *trial.ledger.log])
            say(f"trial {seed} failed: {story}\n")


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    """Let something go on meanwhile; what it raises is raised in the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _restart(stage: Stage, given: Given, dice: random.Random) -> None:
    while given.restart_every_s:
        await asyncio.sleep(given.restart_every_s * dice.uniform(0.5, 1.5))
        async with stage.calm:
            await stage.restart_one(dice)


async def _tell(outcome: Outcome, given: Given) -> None:
    while True:
        await asyncio.sleep(_TOLD_EVERY_S)
        say(f"{outcome.done} of {given.count} trials, {len(outcome.failed)} failed")


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
