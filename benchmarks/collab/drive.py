"""Letting a crowd type at a given pace, and seeing when each word arrives at each of the others."""

import gc
import random
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import msgspec

from benchmarks.collab import cores, edits
from benchmarks.collab.cores import Cores, Reading, Share
from benchmarks.collab.crowd import Client, Room
from benchmarks.harness.cases import BadAnswerError

_TICK_S = 0.001
# what is sent first does not count, nor what is asked of a server that is hopelessly late
_WARM_UP = 0.25
_HOPELESS_S = 0.6
_LOOK_EVERY_S = 0.2
_ARRIVES_WITHIN_S = 15.0


class Driven(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one pace. Times in seconds; ``late`` is the harness's own."""

    pace: float
    sent_per_s: float
    delivered_per_s: float
    p50: float
    p99: float
    late: float
    share: Share
    is_hopeless: bool


class Watch(msgspec.Struct, frozen=True):
    """What is looked at while a crowd types."""

    cores: Cores
    pids: tuple[int, ...]
    beside: tuple[int, ...]

    def read(self) -> Reading:
        """Read all accounts."""
        return cores.read(self.cores, self.pids, self.beside)


type Due = tuple[float, Client, bytes, bytes]


def plan(rooms: list[Room], pace: float, seconds: float) -> list[Due]:
    """Encode what everybody types: ``pace`` words a second each, about evenly, out of step."""
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    interval = 1 / pace
    due: list[Due] = []
    for client in chain.from_iterable(room.clients for room in rooms):
        at = chance.random() * interval
        while at < seconds:
            name, update = client.typist.next()
            due.append((at, client, name, _frame(client, update)))
            at += interval * chance.uniform(0.5, 1.5)
    due.sort(key=lambda one: one[0])
    return due


def _frame(client: Client, update: bytes) -> bytes:
    return edits.update_frame(client.dialect, client.room.document, update)


class _Run:
    """One run's state."""

    def __init__(self, rooms: list[Room], due: list[Due], watch: Watch) -> None:
        self.due = due
        self.watch = watch
        self.latencies: list[float] = []
        self.lateness: list[float] = []
        self.clients = [client for room in rooms for client in room.clients]
        self.by_fd = {client.socket.fileno(): client for client in self.clients}
        self.stuck: set[Client] = set()
        self.arrived = 0
        self.sent = 0
        self.expected = 0

    def send(self, until: float, began: float) -> None:
        """Send what is due."""
        due, at, now = self.due, self.sent, time.perf_counter()
        while at < len(due) and due[at][0] <= until:
            planned, client, name, frame = due[at]
            room = client.room
            room.sent[name] = now
            client.send(frame)
            if client.unsent:
                self.stuck.add(client)
            self.expected += len(room.clients) - (not client.dialect.echoes)
            self.lateness.append(now - began - planned)
            at += 1
        self.sent = at
        for client in tuple(self.stuck):
            data, client.unsent = client.unsent, b""
            client.send(data)
            if not client.unsent:
                self.stuck.discard(client)

    def take(self, fd: int) -> None:
        """Count the words that have come on a connection."""
        client = self.by_fd[fd]
        came = client.read()
        now = time.perf_counter()
        if client.kept is not None:
            client.kept.append(came)
        data = client.tail + came
        found = edits.WORD.findall(data)
        if found:
            sent = client.room.sent
            self.latencies += [now - sent[name] for name in found]
            client.received += len(found)
            self.arrived += len(found)
        client.tail = data[1 - edits.WORD_BYTES :]


@contextmanager
def _no_garbage() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def type_on(rooms: list[Room], pace: float, seconds: float, watch: Watch) -> Driven:
    """Let everybody type; raises ``BadAnswerError`` where a word is lost or comes twice."""
    run = _Run(rooms, plan(rooms, pace, seconds), watch)
    with _no_garbage(), select.epoll() as poll:
        for fd in run.by_fd:
            poll.register(fd, select.EPOLLIN)
        before, after, sent, is_hopeless = _typing(run, poll, seconds)
        _arriving(run, poll)
    if is_hopeless:
        _untype(run)
    _check(run)
    took = after.at - before.at
    ordered = sorted(run.latencies)
    late = sorted(run.lateness)
    peers = sum(len(room.clients) ** 2 for room in rooms) / len(run.clients) - 1
    return Driven(
        pace=pace,
        sent_per_s=sent / took,
        delivered_per_s=sent / took * peers,
        p50=ordered[len(ordered) // 2],
        p99=ordered[len(ordered) * 99 // 100],
        late=late[len(late) * 99 // 100],
        share=cores.between(before, after),
        is_hopeless=is_hopeless,
    )


def _typing(run: _Run, poll: select.epoll, seconds: float) -> tuple[Reading, Reading, int, bool]:
    began = time.perf_counter()
    before, sent_before = None, 0
    look_at = _LOOK_EVERY_S
    is_hopeless = False
    while (now := time.perf_counter() - began) < seconds and not is_hopeless:
        if before is None and now > seconds * _WARM_UP:
            run.latencies.clear()
            run.lateness.clear()
            before, sent_before = run.watch.read(), run.sent
        run.send(now, began)
        for fd, _ in poll.poll(_TICK_S):
            run.take(fd)
        if before is not None and now > look_at:
            look_at = now + _LOOK_EVERY_S
            # at this pace, how much of the time is still on its way
            is_hopeless = run.expected - run.arrived > _HOPELESS_S * run.expected / now + 100
    if before is None:
        raise BadAnswerError("Already the first words did not arrive in time")
    if not is_hopeless:
        run.send(seconds, began)
    return before, run.watch.read(), run.sent - sent_before, is_hopeless


def _arriving(run: _Run, poll: select.epoll) -> None:
    give_up_at = time.perf_counter() + _ARRIVES_WITHIN_S
    while (run.arrived < run.expected or run.stuck) and time.perf_counter() < give_up_at:
        run.send(-1.0, 0.0)
        for fd, _ in poll.poll(_TICK_S):
            run.take(fd)


def _untype(run: _Run) -> None:
    """What was planned and not sent any more was never typed."""
    for _, client, _, _ in run.due[run.sent :]:
        client.typist.typed -= 1


def _check(run: _Run) -> None:
    for client in run.clients:
        typed = sum(other.typist.typed for other in client.room.clients)
        if not client.dialect.echoes:
            typed -= client.typist.typed
        if client.received != typed:
            raise BadAnswerError(
                f"A client should have received {typed} words, and has {client.received}"
            )
