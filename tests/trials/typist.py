"""Somebody who types: a replica of the document that speaks y-protocols, message by message."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from collab.yjs import messages, updates, varints
from tests.trials.ledger import NEVER, Addition, Ledger, Removal, Span

_BACK_WITHIN_S = 40.0
_ANSWER_WITHIN_S = 30.0
_PAUSE_S = (0.02, 0.3)
_GONE, _RESET = 4404, 4205
_BREAKS_AT = 3

type Connect = Callable[[UUID, str], Any]


class Dropped(Exception):  # noqa: N818 - no error: connections are cut on purpose
    """The connection is not there any more."""


class Typist:
    """One of those who type. ``path`` says where the document is now, as an editor would know."""

    def __init__(
        self,
        name: str,
        user: UUID,
        ledger: Ledger,
        dice: random.Random,
        connect: Connect,
        path: Callable[[], str],
    ) -> None:
        self.name = name
        self.user = user
        self.ledger = ledger
        self.dice = dice
        # when the last question was asked that was answered
        self.asked_at = 0.0
        self.closes: list[int] = []
        self.counts: Counter[str] = Counter()
        self._connect = connect
        self._path = path
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._may_ask = False
        self._answers = 0
        self._asked = 0
        self._clock = 0
        self._anew()

    def _anew(self) -> None:
        """Begin with nothing: what was not acknowledged may be lost with the state."""
        self.doc: Doc[Text] = Doc()
        self.text = self.doc.get("content", type=Text)
        self._mine: list[bytes] = []
        self._watching = self.doc.observe(lambda event: self._mine.append(event.update))
        # what the server has not said to be durable
        self._waiting: list[Addition | Removal] = []

    @property
    def is_online(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._reading is not None and not self._reading.done()

    async def online(self) -> None:
        """Connect, unless there is a connection; try until it works."""
        async with asyncio.timeout(_BACK_WITHIN_S):
            while not self.is_online:
                if self.closes and self.closes[-1] in {_GONE, _RESET}:
                    # its document is another one now, if it is there again
                    self.ledger.note(self.name, f"drops its state after {self.closes[-1]}")
                    self.closes.append(0)
                    self._anew()
                await self._try()

    async def _try(self) -> None:
        path = self._path()
        try:
            self._socket = await self._connect(self.user, path)
        except (OSError, InvalidHandshake, TimeoutError):
            await asyncio.sleep(self.dice.uniform(*_PAUSE_S))
            return
        self._may_ask, self._answers, self._asked = False, 0, 0
        self._reading = asyncio.create_task(self._read(self._socket))
        self.ledger.note(self.name, f"connects to {path}")
        try:
            await self._ask()
        except Dropped:
            if self.closes[-1] == _GONE and path != self._path():
                # an editor hears of the move, and looks there
                self.closes.append(0)
            await asyncio.sleep(self.dice.uniform(*_PAUSE_S))

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    await self._act(socket, message)
                    self._heard.set()
        except ConnectionClosed:
            pass
        finally:
            self.closes.append(socket.close_code or 0)
            self._heard.set()
            self.ledger.note(self.name, f"closed {socket.close_code} {socket.close_reason}")

    async def _act(self, socket: ClientConnection, message: bytes) -> None:
        if message[0] == messages.AUTH:
            self.ledger.fault(f"{self.name} was denied to write")
        if message[0] != messages.SYNC:
            return
        body, _ = varints.read_bytes(message, 2)
        if message[1] == messages.STEP_1:
            mine = self.doc.get_update(body)
            self.ledger.note(self.name, f"is asked, and answers {len(mine)} bytes")
            self._may_ask = True
            await _send(socket, messages.STEP_2, mine)
            return
        if body != updates.EMPTY:
            self.doc.apply_update(body)
            self._mine.clear()
        if message[1] == messages.STEP_2:
            self._answers += 1

    async def _ask(self) -> None:
        """Sync step 1; its answer says that all before it is durable."""
        await self._until(lambda: self._may_ask)
        began = time.monotonic()
        self._asked += 1
        wanted, waiting = self._asked, list(self._waiting)
        await self._send(messages.STEP_1, self.doc.get_state())
        await self._until(lambda: self._answers >= wanted)
        self.asked_at = began
        moment = self.ledger.now()
        for done in waiting:
            if done.span.end == NEVER:
                done.span.end, done.is_sure = moment, True
                self.counts["acknowledged"] += 1
        self._waiting = [one for one in self._waiting if one.span.end == NEVER]
        self.ledger.note(self.name, f"has {len(waiting)} acknowledged ({moment})")

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while not holds():
                if not self.is_online:
                    raise Dropped
                self._heard.clear()
                await self._heard.wait()

    async def sync(self) -> None:
        """Have acknowledged whatever was typed; reconnect if need be."""
        async with asyncio.timeout(_BACK_WITHIN_S):
            while True:
                await self.online()
                with suppress(Dropped):
                    return await self._ask()

    async def _send(self, step: int, body: bytes) -> None:
        if not self.is_online or self._socket is None or self._reading is None:
            raise Dropped
        try:
            await _send(self._socket, step, body)
        except ConnectionClosed:
            # who reads notices a little later
            await asyncio.wait([self._reading])
            raise Dropped from None

    async def insert(self) -> None:
        """Type a word or two somewhere, connected or not."""
        before = str(self.text)
        at = self.ledger.words.boundary(before, self.dice)
        new = [self.ledger.words.new(self.name) for _ in range(self.dice.randint(1, 2))]
        typed = "".join(word.text + self.dice.choice("  \n") for word in new)
        moment = self.ledger.now()
        for word in new:
            addition = Addition(span=Span(moment), is_typed=True)
            self._waiting.append(self.ledger.add(word, addition))
        self.ledger.typists.add(str(self.user))
        self.ledger.note(self.name, f"types {self.ledger.words.spelled(typed)} ({moment})")
        await self._edit(lambda text: text.insert(len(before[:at].encode()), typed))

    async def delete(self) -> None:
        """Take a few words away."""
        before = str(self.text)
        places = list(self.ledger.words.places(before))
        if not places:
            return
        first = self.dice.randrange(len(places))
        chosen = places[first : first + self.dice.randint(1, 3)]
        begin, end = chosen[0][1], chosen[-1][1] + len(chosen[-1][0].text)
        names = frozenset(word.name for word, _ in chosen)
        moment = self.ledger.now()
        removal = Removal(span=Span(moment), is_typed=True, takes=names)
        self._waiting.append(self.ledger.remove(removal))
        self.ledger.typists.add(str(self.user))
        self.ledger.note(self.name, f"deletes {sorted(names)} ({moment})")

        def cut(text: Text) -> None:
            del text[len(before[:begin].encode()) : len(before[:end].encode())]

        await self._edit(cut)

    async def _edit(self, change: Callable[[Text], Any]) -> None:
        self._mine.clear()
        with self.doc.transaction():
            change(self.text)
        mine, self._mine = self._mine, []
        # without a connection it is sent when the server asks
        if self._may_ask:
            with suppress(Dropped):
                for update in mine:
                    await self._send(messages.UPDATE, update)

    async def point(self) -> None:
        """Say where the cursor is."""
        self._clock += 1
        state = msgspec.json.encode({"user": {"name": self.name}, "cursor": self._clock})
        frame = messages.awareness([(self.doc.client_id, self._clock, state)])
        if self.is_online and self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(frame[2:])

    async def drop(self, *, politely: bool) -> None:
        """Lose the connection, or close it."""
        if not self.is_online or self._socket is None or self._reading is None:
            return
        self.counts["drops"] += 1
        self.ledger.note(self.name, "closes" if politely else "is cut off")
        if politely:
            await self._socket.close()
        else:
            self._socket.transport.abort()
        await asyncio.wait([self._reading])
        self.closes.append(0)

    async def close(self) -> None:
        """Leave."""
        await self.drop(politely=True)

    def replica(self) -> str:
        """Return the text as this one has it."""
        return str(self.text)

    def state(self) -> dict[int, int]:
        """Return how much of each client's typing this one has."""
        return updates.state_vector(self.doc.get_state())


async def _send(socket: ClientConnection, step: int, body: bytes) -> None:
    await socket.send(bytes((messages.SYNC, step)) + varints.encode(len(body)) + body)
