"""The clients: bare sockets in one loop, which count words in the bytes that come."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from benchmarks.collab import edits, wire
from benchmarks.collab.contender import Contender
from benchmarks.harness.cases import BadAnswerError
from fleet.ports import LOOPBACK

_READ_BYTES = 262_144
_JOINED_WITHIN_S = 30.0
# no more at once than a listener's queue holds
_AT_ONCE = 50


class Room:
    """A document that several clients have open, and when each word was sent there."""

    def __init__(self, document: str) -> None:
        self.document = document
        self.sent: dict[bytes, float] = {}
        self.clients: list[Client] = []

    def typed(self) -> list[str]:
        """Return what each client has typed."""
        return [client.typist.text() for client in self.clients]


class Client:
    """One connection. Once it has joined, what comes is not taken apart any more, but counted."""

    def __init__(self, contender: Contender, room: Room, number: int) -> None:
        self.room = room
        self.dialect = contender.dialect
        self.typist = edits.Typist(number % edits.TYPISTS_MAX)
        self.received = 0
        self.tail = b""
        # what the socket would not take yet
        self.unsent = b""
        # everything that came since it joined, where somebody wants to look at it
        self.kept: list[bytes] | None = None
        self.updates: list[bytes] = []
        self.joined_bytes = 0
        # when it began to connect, and when it had the document
        self.began = self.joined = 0.0
        self._contender = contender
        self._number = number
        self._came = bytearray()
        self._is_open = False
        room.clients.append(self)

    def connect(self) -> None:
        """Begin to open the socket, and say hello."""
        contender, document = self._contender, self.room.document
        port = contender.ports[self._number % len(contender.ports)]
        token = contender.tokens[self._number % len(contender.tokens)]
        self.socket = socket.create_connection((LOOPBACK, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)  # noqa: FBT003 - the library's
        self.socket.sendall(self.dialect.request(document, token, port))
        self._hello = [wire.framed(m) for m in self.dialect.hello(document, token)]

    def read(self) -> bytes:
        """Return what has come; raises ``BadAnswerError`` where nothing ever will."""
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as exc:
            raise BadAnswerError(f"{self._contender.name} broke a connection: {exc}") from exc
        if not data:
            raise BadAnswerError(f"{self._contender.name} closed a connection: {self._why()}")
        return data

    def _why(self) -> str:
        try:
            list(wire.frames(self._came))
        except wire.ClosedError as exc:
            return str(exc)
        return self.tail.decode(errors="replace")

    def greet(self) -> bool:
        """Read on; return whether the document is here."""
        self._came += self.read()
        if not self._is_open:
            head, found, rest = self._came.partition(b"\r\n\r\n")
            if not found:
                return False
            if b" 101 " not in head:
                raise BadAnswerError(f"{self._contender.name} opens no socket: {bytes(head)!r}")
            self._came, self._is_open = rest, True
            self.socket.sendall(b"".join(self._hello))
        is_here = False
        try:
            for payload in wire.frames(self._came):
                is_here = self._take(payload) or is_here
        except wire.ClosedError as exc:
            raise BadAnswerError(f"{self._contender.name} lets nobody in: {exc}") from exc
        return is_here

    def _take(self, payload: bytes) -> bool:
        change = wire.brought(self.dialect.unwrapped(payload))
        if change is None:
            return False
        self.updates.append(change[1])
        self.joined_bytes += len(change[1])
        return change[0] == wire.STEP_2

    def send(self, data: bytes) -> None:
        """Send, or keep what the socket does not take now."""
        if self.unsent:
            self.unsent += data
            return
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self.unsent = data[sent:]

    def close(self) -> None:
        """Leave, as a client does that is closed."""
        with suppress(OSError):
            self.socket.send(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
        self.socket.close()

    def replayed(self) -> str:
        """Return the text of who joined, heard what was kept, and typed what this client did."""
        came = bytearray(self._came + b"".join(self.kept or ()))
        heard = [wire.brought(self.dialect.unwrapped(payload)) for payload in wire.frames(came)]
        again = edits.Typist(self._number % edits.TYPISTS_MAX)
        own = [again.next()[1] for _ in range(self.typist.typed)]
        return edits.text_of(*self.updates, *own, *(change[1] for change in heard if change))


def join(clients: list[Client]) -> None:
    """Let clients join, so many at a time."""
    for start in range(0, len(clients), _AT_ONCE):
        _join(clients[start : start + _AT_ONCE])


def _join(clients: list[Client]) -> None:
    poll, by_fd = select.epoll(), {}
    give_up_at = time.perf_counter() + _JOINED_WITHIN_S
    with poll:
        for client in clients:
            client.began = time.perf_counter()
            client.connect()
            by_fd[client.socket.fileno()] = client
            poll.register(client.socket, select.EPOLLIN)
        while by_fd:
            if time.perf_counter() > give_up_at:
                raise BadAnswerError(f"{len(by_fd)} of {len(clients)} clients could not join")
            for fd, _ in poll.poll(1.0):
                client = by_fd[fd]
                if client.greet():
                    client.joined = time.perf_counter()
                    poll.unregister(fd)
                    del by_fd[fd]


@contextmanager
def crowd(contender: Contender, documents: list[str], each: int) -> Iterator[list[Room]]:
    """Let ``each`` clients join each of the documents; they leave at the end."""
    rooms = [Room(document) for document in documents]
    clients = [Client(contender, room, number) for room in rooms for number in range(each)]
    try:
        join(clients)
        yield rooms
    finally:
        for client in clients:
            if hasattr(client, "socket"):
                client.close()


def listen(rooms: list[Room]) -> None:
    """Keep all that the first client of each of the rooms hears."""
    for room in rooms:
        room.clients[0].kept = []


def check(contender: Contender, rooms: list[Room]) -> None:
    """See that who comes now finds what was typed, all of it, as it was; and who listened too."""
    for room in rooms:
        with crowd(contender, [room.document], 1) as found:
            text = edits.text_of(*found[0].clients[0].updates)
        typed = room.typed()
        if len(text) != sum(map(len, typed)) or not all(part in text for part in typed):
            raise BadAnswerError(f"{contender.name} does not have what was typed")
        if room.clients[0].replayed() != text:
            raise BadAnswerError(f"{contender.name} told a client something else")


def breathe(rooms: list[Room]) -> None:
    """Give a sign of life on every connection."""
    for room in rooms:
        for client in room.clients:
            client.send(wire.ALIVE)
