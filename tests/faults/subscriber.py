"""Who hears every event: through JetStream, more than once perhaps, and acts on each once."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from common.contracts.base import CloudEvent
from fleet.stores import nats as server
from fleet.testing import Running

_STREAM = "EVENTS"
_NAME = "faults"
_FETCH = 200
_FETCH_S = 0.5
_ACK_WAIT_S = 2.0
_FORGETS = 1 / 10


class Subscriber:
    """A durable consumer of all that projects announce; it forgets at times to say so."""

    def __init__(self, fleet: Running, dice: random.Random) -> None:
        self._fleet = fleet
        self._dice = dice
        self._client = Client()
        # by id, in the order in which they came first
        self.events: dict[UUID, CloudEvent[dict[str, object]]] = {}
        self.deliveries = 0
        # how often each event is in the stream: once, if the stream knows it again
        self.stored: Counter[UUID] = Counter()
        self._places: set[int] = set()

    @asynccontextmanager
    async def hearing(self) -> AsyncGenerator[None]:
        """Hear all that is announced from now on."""
        await self._client.connect(
            server.url(self._fleet.context),
            user="admin",
            password=self._fleet.secrets.nats["admin"],
        )
        config = ConsumerConfig(ack_wait=_ACK_WAIT_S, max_ack_pending=10_000)
        pull = await self._stream.pull_subscribe(
            "projects.>", durable=_NAME, stream=_STREAM, config=config
        )
        task = asyncio.create_task(self._hear(pull))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._client.close()

    @property
    def _stream(self) -> JetStreamContext:
        return self._client.jetstream(timeout=5)

    async def _hear(self, pull: JetStreamContext.PullSubscription) -> None:
        while True:
            try:
                messages = await pull.fetch(_FETCH, timeout=_FETCH_S)
            except (TimeoutError, nats.errors.TimeoutError):
                continue
            for message in messages:
                self._take(message)
            # as who dies after it has acted: the same will come again
            if self._dice.random() >= _FORGETS:
                for message in messages:
                    await message.ack()

    def _take(self, message: Msg) -> None:
        event = msgspec.json.decode(message.data, type=CloudEvent[dict[str, object]])
        self.deliveries += 1
        place = message.metadata.sequence.stream
        if place not in self._places:
            self._places.add(place)
            self.stored[event.id] += 1
        self.events.setdefault(event.id, event)

    async def is_through(self) -> bool:
        """Whether nothing is left to be heard."""
        about = await self._stream.consumer_info(_STREAM, _NAME)
        return not about.num_pending and not about.num_ack_pending
