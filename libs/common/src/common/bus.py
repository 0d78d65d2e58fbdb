"""The connection to NATS: it may be absent, and is made anew for as long as the service lives."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from common import exchange, inbox
from common.contracts.base import CloudEvent, Event
from common.database import Database, Queries
from common.errors import GONE_AWAY
from common.forever import forever

log = structlog.get_logger()

STREAM = "EVENTS"
_RETRY_S = 1
# a server that answers none of three pings in a row is not there
_PING_S = 10
_LOOK_S = 0.2
_FETCH = 64
_FETCH_S = 5.0
_DELIVERIES_MAX = 5

type Handler[E] = Callable[[Queries, CloudEvent[E]], Awaitable[None]]


class Subscription[E: Event](msgspec.Struct, frozen=True):
    """A kind of event, and the function that acts on it inside a transaction."""

    event: type[E]
    handler: Handler[E]


class Bus:
    """One connection of one service at a time; whoever held what went over it asks again.

    The client's own reconnecting is off. It ends for good, and tells nobody, at an error that the
    server names (``Authentication Timeout``, where a machine is slow) or that it did not expect.
    """

    def __init__(self, name: str, url: str, user: str, password: str) -> None:
        self._options: dict[str, Any] = {
            "servers": url,
            "user": user,
            "password": password,
            "name": name,
            "inbox_prefix": f"_INBOX_{user or name}".encode(),
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": _RETRY_S,
            "ping_interval": _PING_S,
            "error_cb": _say,
        }
        self._heeded: dict[str, Callable[[Msg], Awaitable[None]]] = {}
        self.client: Client | None = None

    @property
    def is_connected(self) -> bool:
        """Whether NATS can be reached now."""
        return self.client is not None and self.client.is_connected

    @property
    def stream(self) -> JetStreamContext | None:
        """JetStream, while it can be reached."""
        client = self.client
        return client.jetstream(timeout=_FETCH_S) if client and client.is_connected else None

    async def run(self) -> None:
        """Stay connected until the task is cancelled; whatever fails is tried again."""
        try:
            while True:
                await self.connect()
                # the client tells of some of its ends, and not of others
                while self.is_connected:  # noqa: ASYNC110 - so it is asked
                    await asyncio.sleep(_LOOK_S)
                log.warning("nats_lost")
        finally:
            await self.close()

    async def connect(self) -> None:
        """Connect once, however long it takes."""
        while not self.is_connected:
            await self.close()
            self.client = Client()
            try:
                await self._connect(self.client)
            except Exception as exc:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("nats_unreachable", error=repr(exc))
                await self.close()
                await asyncio.sleep(_RETRY_S)

    async def heed(self, subject: str, act: Callable[[Msg], Awaitable[None]]) -> None:
        """Let ``act`` have what is said about ``subject`` while it is connected; nothing waits."""
        self._heeded[subject] = act
        if self.client is not None and self.is_connected:
            await self.client.subscribe(subject, cb=act)

    async def close(self) -> None:
        """Disconnect, in whatever state the connection is."""
        if self.client is not None:
            with suppress(Exception):
                await asyncio.wait_for(self.client.close(), _RETRY_S)

    async def _connect(self, client: Client) -> None:
        await client.connect(**self._options)
        if not client.is_connected:
            raise ConnectionError("The server was gone before it had answered.")
        for subject, act in tuple(self._heeded.items()):
            await client.subscribe(subject, cb=act)


async def _say(exc: Exception) -> None:
    # a denied JetStream call looks like a time-out to its caller: only this tells the reason
    log.error("nats_error", error=repr(exc))


class Listener:
    """Acts on one service's subscriptions through its durable consumer."""

    def __init__(
        self,
        name: str,
        bus: Bus,
        db: Database,
        subscriptions: Sequence[Subscription[Any]],
        *,
        retry_s: float = 0.5,
    ) -> None:
        self._name = name
        self._retry_s = retry_s
        self._bus = bus
        self._db = db
        self._by_subject = {s.event.subject: s for s in subscriptions}
        self._types = {
            subject: CloudEvent[s.event]  # type: ignore[name-defined]  # the type is known at run time
            for subject, s in self._by_subject.items()
        }

    async def run(self) -> None:
        """Listen for ever; whatever fails is tried again."""
        await forever("listener", self._listen, pause_s=_RETRY_S)

    async def _listen(self) -> None:
        stream = self._bus.stream
        if stream is None:
            return
        pull = await stream.pull_subscribe_bind(consumer=self._name, stream=STREAM)
        try:
            while True:
                try:
                    messages = await pull.fetch(_FETCH, timeout=_FETCH_S)
                except (TimeoutError, nats.errors.TimeoutError):
                    continue
                for position, message in enumerate(messages):
                    await self._deliver(stream, message, messages[position:])
        finally:
            await pull.unsubscribe()

    async def _deliver(
        self, stream: JetStreamContext, message: Msg, waiting: Sequence[Msg]
    ) -> None:
        try:
            await self._act_when_possible(message, waiting)
        except Exception as exc:  # noqa: BLE001 - one event's fault must not stop the others
            log.warning("event_failed", subject=message.subject, error=repr(exc))
            poisoned = isinstance(exc, msgspec.DecodeError)
            if poisoned or message.metadata.num_delivered >= _DELIVERIES_MAX:
                await self._bury(stream, message, exc)
            else:
                await message.nak(delay=self._retry_s * 2**message.metadata.num_delivered)
            return
        await message.ack()

    async def _act_when_possible(self, message: Msg, waiting: Sequence[Msg]) -> None:
        """Act on an event; while the database is away it and those behind it are kept.

        That is not their fault: they must not use up their deliveries on it.
        """
        while True:
            try:
                await self.act(message.subject, message.data)
            except GONE_AWAY as exc:
                # a database that answers is not away: then it is the event that takes too long
                if await self._db.answers():
                    raise
                log.warning("event_waits", subject=message.subject, error=repr(exc))
                for one in waiting:
                    await one.in_progress()
                await asyncio.sleep(self._retry_s)
            else:
                return

    async def act(self, subject: str, data: bytes) -> bool:
        """Act on an event once; false where that was done before, or nobody listens to it."""
        subscription = self._by_subject.get(subject)
        if subscription is None:
            return False
        event = msgspec.json.decode(data, type=self._types[subject])
        exchange.enter(exchange.Exchange(event.requestid, event.traceparent))
        async with self._db.transaction() as tx:
            if not await inbox.claim(tx, event.id):
                return False
            await subscription.handler(tx, event)
        return True

    async def _bury(self, stream: JetStreamContext, message: Msg, exc: Exception) -> None:
        """Park an event that cannot be acted upon, so that the others flow."""
        headers = {"Worldloom-Consumer": self._name, "Worldloom-Error": repr(exc)[:500]}
        await stream.publish(f"dead.{self._name}.{message.subject}", message.data, headers=headers)
        await message.term()
        log.error("event_dead", subject=message.subject, error=repr(exc))
