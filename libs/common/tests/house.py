"""What tests of common work with: stores that may be stopped, an announcer and a listener."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, override
from uuid import UUID

import msgspec
import nats
from nats.aio.client import Client
from nats.js.api import RawStreamMsg

from common import outbox
from common.bus import Bus, Handler, Listener, Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import AccessChanged, ProjectUpdated
from common.database import Database, Queries
from common.ids import uuid7
from common.relay import Relay
from fleet.testing import Running

ANNOUNCER, LISTENER = "projects", "registry"


class Counted(Listener):
    """A listener that counts how often it tried."""

    attempts = 0

    @override
    async def act(self, subject: str, data: bytes) -> bool:
        """Act on an event."""
        self.attempts += 1
        return await super().act(subject, data)


class House:
    """Stores of one's own; ``projects`` announces, ``registry`` listens."""

    def __init__(self, stores: Running, announcing: Database, listening: Database) -> None:
        self.stores = stores
        self.announcing = announcing
        self.listening = listening

    def env(self, name: str = ANNOUNCER) -> dict[str, str]:
        """What a service is told."""
        quiet = {"ACCESS_LOG": "false", "LOG_LEVEL": "critical"}
        return self.stores.env(name) | quiet

    @asynccontextmanager
    async def bus(self, name: str) -> AsyncGenerator[Bus]:
        """A service's connection to NATS, or its attempts."""
        env = self.env(name)
        bus = Bus(name, env["NATS_URL"], env["NATS_USER"], env["NATS_PASSWORD"])
        async with running(bus.run):
            yield bus

    @asynccontextmanager
    async def relay(self, *, kept_days: int = 7) -> AsyncGenerator[Relay]:
        """The announcer's relay, at work."""
        async with self.bus(ANNOUNCER) as bus:
            url = self.env()["DATABASE_URL"]
            relay = Relay(ANNOUNCER, url, bus, poll_s=0.05, kept_days=kept_days)
            async with running(relay.run):
                yield relay

    @asynccontextmanager
    async def listener(self, handler: Handler[AccessChanged]) -> AsyncGenerator[Counted]:
        """The listener's durable consumer, at work."""
        async with self.bus(LISTENER) as bus:
            subscriptions = [Subscription(AccessChanged, handler)]
            listener = Counted(LISTENER, bus, self.listening, subscriptions, retry_s=0.01)
            async with running(listener.run):
                yield listener

    @asynccontextmanager
    async def admin(self) -> AsyncGenerator[Client]:
        """Somebody who may look into the streams."""
        url, password = self.env()["NATS_URL"], self.stores.secrets.nats["admin"]
        client = await nats.connect(url, user="admin", password=password)
        try:
            yield client
        finally:
            await client.close()

    async def announce(self, key: UUID, *names: str, db: Queries | None = None) -> None:
        """Announce events of one key, one after another."""
        for name in names:
            event = ProjectUpdated(project_id=key, actor_id=key, name=name, is_public=False)
            await outbox.announce(db or self.announcing, event, key)

    async def streamed(self, stream: str = "EVENTS") -> list[RawStreamMsg]:
        """Everything that a stream has."""
        async with self.admin() as client:
            js = client.jetstream()
            state = (await js.stream_info(stream)).state
            numbers = range(state.first_seq, state.last_seq + 1) if state.messages else range(0)
            return [await js.get_msg(stream, number) for number in numbers]

    async def heard(self, key: UUID | str) -> list[CloudEvent[dict[str, Any]]]:
        """The events of one key that reached the stream, in its order."""
        events = [decoded(m) for m in await self.streamed() if str(key).encode() in (m.data or b"")]
        return [event for event in events if event.subject == str(key)]

    async def tell(self, event: CloudEvent[AccessChanged], *, message_id: str = "") -> None:
        """Publish an event as the announcer's relay does."""
        async with self.bus(ANNOUNCER) as bus:
            while bus.stream is None:  # noqa: ASYNC110 - it says nothing when it is there
                await asyncio.sleep(0.01)
            headers = {"Nats-Msg-Id": message_id or str(uuid7())}
            await bus.stream.publish(event.type, msgspec.json.encode(event), headers=headers)


def decoded(message: RawStreamMsg) -> CloudEvent[dict[str, Any]]:
    """An event out of a message."""
    return msgspec.json.decode(message.data or b"", type=CloudEvent[dict[str, Any]])


@asynccontextmanager
async def running(work: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Let something run beside the test."""

    async def run() -> None:
        await work()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
