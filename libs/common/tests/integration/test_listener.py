"""From JetStream to a handler: each event once, one's fault not the others'."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import psutil
import pytest
import sqlalchemy as sa
from libs.common.tests.house import LISTENER, Counted, House, running
from nats.js.api import RawStreamMsg

from common import access
from common.bus import Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import AccessChanged
from common.database import Database, Queries
from common.ids import uuid7
from common.outbox import InboxRow
from common.testing.waiting import until

_CLAIMED = sa.select(InboxRow.id).where(InboxRow.id == sa.bindparam("id", type_=sa.Uuid))


def event(project_id: UUID, version: int = 1) -> CloudEvent[AccessChanged]:
    """Somebody may do something now."""
    return CloudEvent(
        id=uuid7(),
        source="/projects",
        type=AccessChanged.subject,
        subject=str(project_id),
        time=datetime.now(UTC),
        data=AccessChanged(
            project_id=project_id, version=version, is_public=False, is_deleted=False, roles={}
        ),
    )


class Handler:
    """Keeps what it hears; fails for the projects and as often as it is told."""

    def __init__(
        self, failures: dict[UUID, int] | None = None, error: type[Exception] = LookupError
    ) -> None:
        self.calls: Counter[UUID] = Counter()
        self.done: list[tuple[UUID, int]] = []
        self._failures = failures or {}
        self._error = error

    async def __call__(self, tx: Queries, heard: CloudEvent[AccessChanged]) -> None:
        """Act on an event."""
        fact = heard.data
        self.calls[fact.project_id] += 1
        now = access.Access(fact.project_id, fact.version, fact.is_public, fact.is_deleted, {})
        await access.learn(tx, now)
        if self.calls[fact.project_id] <= self._failures.get(fact.project_id, 0):
            raise self._error
        self.done.append((fact.project_id, fact.version))

    async def is_done(self, *projects: UUID) -> bool:
        """Whether events of all these projects were acted upon."""
        return set(projects) <= {project for project, _ in self.done}


async def known(house: House, project_id: UUID) -> bool:
    """Whether the listener's database knows of a project."""
    return await access.standing(house.listening, project_id, uuid7()) is not None


async def parked(house: House, marker: bytes) -> list[RawStreamMsg]:
    """What lies in the stream of the dead with ``marker`` in it."""
    return [m for m in await house.streamed("DEAD") if marker in (m.data or b"")]


async def has_tried(listener: Counted, times: int) -> bool:
    """Whether the listener tried so often."""
    return listener.attempts >= times


async def test_the_same_event_twice_has_one_effect(house: House) -> None:
    handler, project = Handler(), uuid7()
    twice, last = event(project), event(uuid7())
    async with house.listener(handler):
        for one in (twice, twice, last):
            await house.tell(one)
        await until(lambda: handler.is_done(last.data.project_id))
    assert handler.calls[project] == 1
    assert await house.listening.all(_CLAIMED, str, id=twice.id)


async def test_a_redelivery_after_a_lost_acknowledgement_has_no_effect(house: House) -> None:
    handler, one = Handler(), event(uuid7())
    async with house.listener(handler) as listener:
        await house.tell(one)
        await until(lambda: handler.is_done(one.data.project_id))
        [message] = [m for m in await house.streamed() if str(one.id).encode() in (m.data or b"")]
        assert not await listener.act(AccessChanged.subject, message.data or b"")
    assert handler.calls[one.data.project_id] == 1


@pytest.mark.parametrize("poison", [b"no json", b"{}", b'{"id": 1}', b"\xff", b"[" * 5000])
async def test_what_cannot_be_read_is_parked_and_the_others_flow(
    house: House, poison: bytes
) -> None:
    handler, after = Handler(), event(uuid7())
    marked = poison + uuid7().hex.encode()
    async with house.listener(handler):
        async with house.admin() as client:
            await client.jetstream().publish(AccessChanged.subject, marked)
        await house.tell(after)
        await until(lambda: handler.is_done(after.data.project_id))
        [dead] = await until(lambda: parked(house, marked))
    assert dead.subject == f"dead.{LISTENER}.{AccessChanged.subject}"
    assert (dead.headers or {})["Worldloom-Consumer"] == LISTENER
    assert (dead.headers or {})["Worldloom-Error"]


async def test_a_handler_that_fails_is_asked_again(house: House) -> None:
    unlucky, fine = event(uuid7()), event(uuid7())
    handler = Handler({unlucky.data.project_id: 2})
    async with house.listener(handler):
        await house.tell(unlucky)
        await house.tell(fine)
        await until(lambda: handler.is_done(unlucky.data.project_id, fine.data.project_id))
    assert handler.calls[unlucky.data.project_id] == 3
    assert await parked(house, str(unlucky.id).encode()) == []


@pytest.mark.parametrize("error", [LookupError, TimeoutError, asyncpg.QueryCanceledError])
async def test_a_handler_that_always_fails_leaves_nothing_but_a_dead_letter(
    house: House, error: type[Exception]
) -> None:
    hopeless, fine = event(uuid7()), event(uuid7())
    handler = Handler({hopeless.data.project_id: 1000}, error)
    async with house.listener(handler):
        await house.tell(hopeless)
        await house.tell(fine)
        [dead] = await until(lambda: parked(house, str(hopeless.id).encode()))
        await until(lambda: handler.is_done(fine.data.project_id))
    assert handler.calls[hopeless.data.project_id] == 5
    assert error.__name__ in (dead.headers or {})["Worldloom-Error"]
    assert not await known(house, hopeless.data.project_id)
    assert not await house.listening.all(_CLAIMED, str, id=hopeless.id)


async def test_events_wait_for_the_database(house: House) -> None:
    handler = Handler()
    events = [event(uuid7()) for _ in range(3)]
    async with house.listener(handler) as listener:
        await house.tell(events[0])
        await until(lambda: handler.is_done(events[0].data.project_id))
        await asyncio.to_thread(house.stores.stop, "postgres")
        try:
            for one in events[1:]:
                await house.tell(one)
            # as many attempts as would use up an event's deliveries
            await until(lambda: has_tried(listener, 20))
        finally:
            await asyncio.to_thread(house.stores.start, "postgres")
        await until(lambda: handler.is_done(*[e.data.project_id for e in events]))
    for one in events:
        assert await parked(house, str(one.id).encode()) == []
        assert await known(house, one.data.project_id)


async def test_events_wait_for_a_database_that_stands_still(house: House) -> None:
    handler, one = Handler(), event(uuid7())
    server = psutil.Process(house.stores.state().processes["postgres"].pid)
    url = house.env(LISTENER)["DATABASE_URL"]
    db = await Database.connect(url, pool_size=2, wait_s=0.2, statement_s_max=0.2)
    async with house.bus(LISTENER) as bus:
        subscriptions = [Subscription(AccessChanged, handler)]
        listener = Counted(LISTENER, bus, db, subscriptions, retry_s=0.01)
        frozen = [server, *server.children(recursive=True)]
        for process in frozen:
            process.suspend()
        try:
            async with running(listener.run):
                await house.tell(one)
                # more attempts than an event has deliveries
                await until(lambda: has_tried(listener, 12), within_s=30)
                for process in frozen:
                    process.resume()
                await until(lambda: handler.is_done(one.data.project_id))
        finally:
            for process in frozen:
                process.resume()
    await db.close()
    assert await parked(house, str(one.id).encode()) == []


async def test_listening_goes_on_after_nats_was_away(house: House) -> None:
    handler, before, after = Handler(), event(uuid7()), event(uuid7())
    async with house.listener(handler):
        await house.tell(before)
        await until(lambda: handler.is_done(before.data.project_id))
        await asyncio.to_thread(house.stores.stop, "nats")
        await asyncio.to_thread(house.stores.start, "nats")
        await house.tell(after)
        await until(lambda: handler.is_done(after.data.project_id), within_s=30)
    # and perhaps what others have said while nobody listened
    assert [handler.calls[e.data.project_id] for e in (before, after)] == [1, 1]


async def test_what_happened_while_nobody_listened_is_heard_later(house: House) -> None:
    handler, one = Handler(), event(uuid7())
    await house.tell(one)
    async with house.listener(handler):
        await until(lambda: handler.is_done(one.data.project_id))


async def test_an_event_that_nobody_subscribed_to_is_let_go(house: House) -> None:
    handler = Handler()
    async with house.listener(handler) as listener:
        assert not await listener.act("projects.project.created.v1", b"whatever")
