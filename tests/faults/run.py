"""A run from its first project to its last check."""

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack
from uuid import UUID

import msgspec

from common.ids import uuid7
from fleet.testing import Running
from tests.faults.client import Client
from tests.faults.door import Door, Tally
from tests.faults.ledger import Ledger, Made, Project
from tests.faults.looking import Looked, look
from tests.faults.stage import Killer, Service, served
from tests.faults.steps import STEPS
from tests.faults.subscriber import Subscriber
from tests.faults.whole import Maker

_CLIENTS_PER_PROJECT = 4
_SETTLE_S = 1.0
_TOLD_EVERY = 10


class Given(msgspec.Struct, frozen=True):
    """What a run was asked for."""

    kills: int
    postgres_kills: int
    clients: int
    seed: int


class Outcome(msgspec.Struct, frozen=True):
    """What a run found."""

    tally: Tally
    subscriber: Subscriber
    looked: Looked
    recoveries: list[float]
    left_over: int
    log: str
    seconds: float


async def run(fleet: Running, given: Given) -> Outcome:
    """Let the clients work while the service dies, then look at everything."""
    began = time.monotonic()
    dice = random.Random(given.seed)
    tally, made = Tally(), Made()
    subscriber = Subscriber(fleet, _other(dice))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(subscriber.hearing())
        service = await stack.enter_async_context(served(fleet))
        clients = await _clients(service, given, dice, tally, stack)
        await _work(clients, made, Killer(service, dice), given, dice)
        say("everybody has stopped; looking at what is there")
        looked = await look(fleet, clients, made, subscriber, dice)
        return Outcome(
            tally=tally,
            subscriber=subscriber,
            looked=looked,
            recoveries=service.recoveries,
            left_over=len(service.left_over()),
            log=service.tail(),
            seconds=time.monotonic() - began,
        )


def _other(dice: random.Random) -> random.Random:
    """Dice of one's own, which fall as the seed says, however fast the others throw."""
    return random.Random(dice.random())


async def _clients(
    service: Service, given: Given, dice: random.Random, tally: Tally, stack: AsyncExitStack
) -> list[Client]:
    clients: list[Client] = []
    project: Project | None = None
    for number in range(given.clients):
        if project is None or number % _CLIENTS_PER_PROJECT == 0:
            project = await _project(service, dice, tally, number)
        door = Door(service, tally, project.owner, _other(dice))
        stack.push_async_callback(door.close)
        clients.append(Client(number, project, door, _other(dice), tally))
    return clients


async def _project(service: Service, dice: random.Random, tally: Tally, number: int) -> Project:
    door = Door(service, tally, uuid7(), _other(dice))
    made = await door.ask("POST", "/api/v1/projects", sends={"name": f"Project {number}"})
    await door.close()
    project_id = UUID(made.data["id"])
    return Project(project_id, door.user, f"/api/v1/projects/{project_id}", Ledger())


async def _work(
    clients: list[Client],
    made: Made,
    killer: Killer,
    given: Given,
    dice: random.Random,
) -> None:
    """Let all work until the last kill, and a moment longer."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.work([*STEPS, *Maker(made).steps()], over))
        await _killing(killer, given, dice, clients[0].tally)
        await asyncio.sleep(_SETTLE_S)
        over.set()


async def _killing(killer: Killer, given: Given, dice: random.Random, tally: Tally) -> None:
    turns = ["service"] * given.kills + ["postgres"] * given.postgres_kills
    dice.shuffle(turns)
    for number, turn in enumerate(turns, 1):
        if turn == "service":
            tally.counts["kills"] += await killer.service()
        else:
            await killer.postgres()
            tally.counts["kills of PostgreSQL"] += 1
        if number % _TOLD_EVERY == 0 or number == len(turns):
            done = sum(tally.counts[kind] for kind in ("writes", "batches", "imports", "copies"))
            say(f"{number} of {len(turns)} kills, {done} writes, batches, imports and copies")


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
