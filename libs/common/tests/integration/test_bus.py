"""The connection to NATS ends in many ways, and is made anew after each of them."""

import asyncio

import pytest
from libs.common.tests.door import Door, door
from libs.common.tests.house import ANNOUNCER, LISTENER, House, running
from libs.common.tests.integration.test_listener import Handler, event
from nats.aio.msg import Msg

from common.bus import Bus, Listener, Subscription
from common.contracts.projects import AccessChanged
from common.ids import uuid7
from common.relay import Relay
from common.testing.waiting import until

_ENDS = {
    "slow": b"-ERR 'Authentication Timeout'\r\n",
    "refused": b"-ERR 'Authorization Violation'\r\n",
    "stale": b"-ERR 'Stale Connection'\r\n",
    "full": b"-ERR 'maximum connections exceeded'\r\n",
    "garbled": b"MSG what is this\r\n\xff\xff\r\n",
    "cut": b"",
}


async def end(way: Door, words: bytes) -> None:
    """Let the connections of this moment end, and others be made."""
    passed = way.passed
    await way.say(words)
    if not words:
        way.shut()

    async def is_renewed() -> bool:
        return way.passed > passed

    await until(is_renewed, within_s=30)


def through(house: House, way: Door, name: str) -> Bus:
    """A service's bus that goes through the door."""
    env = house.env(name)
    return Bus(name, f"nats://127.0.0.1:{way.port}", env["NATS_USER"], env["NATS_PASSWORD"])


@pytest.mark.parametrize("words", _ENDS.values(), ids=_ENDS)
async def test_a_listener_hears_on_after_its_connection_ended(house: House, words: bytes) -> None:
    handler, before, after = Handler(), event(uuid7()), event(uuid7())
    async with door(house.stores.ports.nats) as way:
        bus = through(house, way, LISTENER)
        subscriptions = [Subscription(AccessChanged, handler)]
        listener = Listener(LISTENER, bus, house.listening, subscriptions, retry_s=0.01)
        async with running(bus.run), running(listener.run):
            await house.tell(before)
            await until(lambda: handler.is_done(before.data.project_id))
            await end(way, words)
            await house.tell(after)
            await until(lambda: handler.is_done(after.data.project_id), within_s=30)


@pytest.mark.parametrize("words", _ENDS.values(), ids=_ENDS)
async def test_a_relay_carries_on_after_its_connection_ended(house: House, words: bytes) -> None:
    key = uuid7()

    async def has_heard(*names: str) -> bool:
        return tuple(e.data["name"] for e in await house.heard(key)) == names

    async with door(house.stores.ports.nats) as way:
        bus = through(house, way, ANNOUNCER)
        url = house.env()["DATABASE_URL"]
        relay = Relay(ANNOUNCER, url, bus, poll_s=0.05, kept_days=7)
        async with running(bus.run), running(relay.run):
            await house.announce(key, "before")
            await until(lambda: has_heard("before"))
            await end(way, words)
            await house.announce(key, "after")
            await until(lambda: has_heard("before", "after"), within_s=30)


@pytest.mark.parametrize("words", _ENDS.values(), ids=_ENDS)
async def test_what_is_heeded_is_heeded_over_every_connection(house: House, words: bytes) -> None:
    heard = asyncio.Event()

    async def note(_: Msg) -> None:
        heard.set()

    async def has_heard(speaker: Bus) -> bool:
        if speaker.client is not None and speaker.is_connected:
            await speaker.client.publish(f"live.builds.{uuid7()}")
        return heard.is_set()

    async with door(house.stores.ports.nats) as way:
        env = house.stores.env("builds")
        user, password = env["NATS_USER"], env["NATS_PASSWORD"]
        bus = Bus("builds", f"nats://127.0.0.1:{way.port}", user, password)
        await bus.heed("live.builds.*", note)
        async with running(bus.run):
            await until(lambda: has_heard(bus))
            await end(way, words)
            heard.clear()
            await until(lambda: has_heard(bus), within_s=30)


async def test_who_stops_while_it_connects_leaves_no_connection_open() -> None:
    came, left = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()
        left.set()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with running(Bus("nobody", f"nats://127.0.0.1:{port}", "nobody", "none").run):
            await came.wait()
        try:
            await asyncio.wait_for(left.wait(), 10)
        finally:
            server.close_clients()
