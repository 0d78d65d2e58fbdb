"""From the outbox to JetStream: in order, once, whatever stands still in between."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from libs.common.tests.house import House, decoded

from common import exchange, outbox
from common.contracts.projects import ProjectUpdated
from common.ids import uuid7
from common.outbox import OutboxRow
from common.testing.processes import free_port, process
from common.testing.waiting import until

_O = OutboxRow
_KEY = sa.bindparam("key", type_=sa.Text)
_WAITING = sa.select(_O.id).where(_O.key == _KEY, _O.published_at.is_(None))
_IDS = sa.select(_O.id).where(_O.key == _KEY).order_by(_O.position)
_UNMARK = sa.update(_O).where(_O.key == _KEY).values(published_at=None)
_AGE = (
    sa.update(_O)
    .where(_O.key == _KEY)
    .values(published_at=sa.func.now() - sa.text("interval '8 days'"))
)


async def published(house: House, key: object) -> bool:
    """Whether nothing of the key waits any more."""
    return not await house.announcing.all(_WAITING, str, key=str(key))


async def all_published(house: House, keys: list[UUID]) -> bool:
    """Whether nothing of any key waits any more."""
    return all([await published(house, key) for key in keys])


class TakenBackError(Exception):
    """A transaction is not to be committed."""


async def taken_back(house: House, key: UUID) -> None:
    """Announce something, and think better of it."""
    async with house.announcing.transaction() as tx:
        await house.announce(key, "never", db=tx)
        raise TakenBackError


async def test_events_arrive_whole_and_in_order_for_each_key(house: House) -> None:
    keys = [uuid7() for _ in range(5)]
    names = [f"{number}" for number in range(60)]
    async with house.relay():
        await asyncio.gather(*[house.announce(key, *names) for key in keys])
        await until(lambda: all_published(house, keys))
    for key in keys:
        events = await house.heard(key)
        assert [event.data["name"] for event in events] == names
        assert [e.id for e in events] == await house.announcing.all(_IDS, lambda i: i, key=str(key))
        assert {(e.source, e.type, e.subject) for e in events} == {
            ("/projects", ProjectUpdated.subject, str(key))
        }
        assert {(e.specversion, e.datacontenttype) for e in events} == {("1.0", "application/json")}
        assert all(event.time.utcoffset() is not None for event in events)


async def test_a_message_is_named_after_its_event(house: House) -> None:
    key = uuid7()
    async with house.relay():
        await house.announce(key, "one")
        await until(lambda: published(house, key))
    [message] = [m for m in await house.streamed() if str(key).encode() in (m.data or b"")]
    assert (message.headers or {})["Nats-Msg-Id"] == str(decoded(message).id)


async def test_what_is_published_twice_is_there_once(house: House) -> None:
    key = uuid7()
    async with house.relay():
        await house.announce(key, "one", "two")
        await until(lambda: published(house, key))
        # as after a crash between publishing and remembering it
        await house.announcing.run(_UNMARK, key=str(key))
        await until(lambda: published(house, key))
    assert [event.data["name"] for event in await house.heard(key)] == ["one", "two"]


async def test_events_wait_for_nats(house: House) -> None:
    key = uuid7()
    async with house.relay():
        await house.announce(key, "before")
        await until(lambda: published(house, key))
        await asyncio.to_thread(house.stores.stop, "nats")
        try:
            await house.announce(key, "during 1", "during 2")
            assert not await published(house, key)
        finally:
            await asyncio.to_thread(house.stores.start, "nats")
        await house.announce(key, "after")
        await until(lambda: published(house, key), within_s=30)
    names = [event.data["name"] for event in await house.heard(key)]
    assert names == ["before", "during 1", "during 2", "after"]


async def test_a_late_commit_is_not_skipped(house: House) -> None:
    early, late = uuid7(), uuid7()
    async with house.relay():
        async with house.announcing.transaction() as tx:
            await house.announce(early, "drawn first, committed last", db=tx)
            await house.announce(late, "drawn last, committed first")
            await until(lambda: published(house, late))
        await until(lambda: published(house, early))
    assert len(await house.heard(early)) == len(await house.heard(late)) == 1


async def test_nothing_is_announced_by_what_is_taken_back(house: House) -> None:
    key = uuid7()
    async with house.relay():
        with pytest.raises(TakenBackError):
            await taken_back(house, key)
        await house.announce(key, "instead")
        await until(lambda: published(house, key))
    assert [event.data["name"] for event in await house.heard(key)] == ["instead"]


async def test_when_one_relay_is_gone_another_works(house: House) -> None:
    first, second = uuid7(), uuid7()
    async with house.relay():
        async with house.relay():
            await house.announce(first, "one")
            await until(lambda: published(house, first))
        await house.announce(second, "two")
        await until(lambda: published(house, second))
    assert len(await house.heard(first)) == len(await house.heard(second)) == 1


async def test_what_was_published_long_ago_is_forgotten(house: House) -> None:
    old, waiting = uuid7(), uuid7()
    await house.announce(old, "old")
    await house.announcing.run(_AGE, key=str(old))
    await house.announce(waiting, "old, and not published yet")
    async with house.relay():

        async def forgotten() -> bool:
            return not await house.announcing.all(_IDS, str, key=str(old))

        await until(forgotten)
        await until(lambda: published(house, waiting))
    assert len(await house.heard(waiting)) == 1


async def test_a_kill_between_commit_and_publish_loses_nothing(house: House) -> None:
    user = uuid7()
    env = house.env() | {"PORT": str(free_port())}
    async with process("projects.main:create_app", env | {"NATS_URL": "nats://127.0.0.1:1"}) as one:
        made = await one.call("POST", "/api/v1/projects", user, sends={"name": "Pong"})
        assert made.status_code == 201
        project_id = made.headers["location"].rpartition("/")[2]
        await one.close()
    assert await house.announcing.all(_WAITING, str, key=project_id)
    async with process("projects.main:create_app", env | {"RELAY_POLL_S": "0.05"}):
        await until(lambda: published(house, project_id), within_s=30)
    messages = [m for m in await house.streamed() if project_id.encode() in (m.data or b"")]
    events = [decoded(message) for message in messages]
    assert [event.type for event in events] == [
        "projects.project.created.v1",
        "projects.access.changed.v1",
    ]
    assert [(m.headers or {})["Nats-Msg-Id"] for m in messages] == [str(e.id) for e in events]


async def test_an_event_carries_its_request(house: House) -> None:
    key = uuid7()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    exchange.enter(exchange.Exchange("request-1", trace))
    event = ProjectUpdated(project_id=key, actor_id=key, name="x", is_public=False)
    await outbox.announce(house.announcing, event, key)
    async with house.relay():
        await until(lambda: published(house, key))
    [heard] = await house.heard(key)
    assert (heard.requestid, heard.traceparent) == ("request-1", trace)
    [message] = [m for m in await house.streamed() if str(key).encode() in (m.data or b"")]
    assert (message.headers or {})["traceparent"] == trace
