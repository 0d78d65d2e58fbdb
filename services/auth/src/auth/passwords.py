"""Passwords: argon2id, in processes of its own, and never more at once than there are of those."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from litestar import Litestar

from auth import hashing
from auth.hashing import BCRYPT, Hash, Question, Verify
from auth.settings import Settings
from common.errors import UnavailableError

# how much one measurement moves the average
_LATEST = 0.2


class Worker:
    """A process that hashes; one question at a time."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._is_asked = False

    @classmethod
    async def start(cls, settings: Settings) -> "Worker":
        """Start a process; it ends when this one does."""
        costs = (settings.password_memory_kib, settings.password_passes)
        words = [str(number) for number in (*costs, settings.password_niceness)]
        ours, theirs = socket.socketpair()

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", hashing.__name__, *words],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                start_new_session=True,
            )

        with theirs:
            process = await asyncio.to_thread(start)
        return cls(process, *await asyncio.open_unix_connection(sock=ours))

    @property
    def is_ready(self) -> bool:
        """Whether it lives, and owes nobody an answer."""
        return not self._is_asked and self.process.poll() is None

    async def ask[T](self, question: Question, answer: type[T]) -> T:
        """Ask, and wait for the answer; raises ``UnavailableError`` if the process is gone."""
        self._is_asked = True
        self._writer.write(msgspec.json.encode(question) + b"\n")
        line = await self._reader.readline()
        if not line:
            raise UnavailableError
        self._is_asked = False
        return msgspec.json.decode(line, type=answer)

    async def end(self) -> None:
        """End the process, whatever it does."""
        self._writer.close()
        self.process.kill()
        await asyncio.to_thread(self.process.wait)


class Place:
    """Room for one who hashes or verifies; ``Passwords.place`` gives it."""

    def __init__(self, worker: Worker, settings: Settings) -> None:
        self.worker = worker
        self._hasher = hashing.hasher(settings.password_memory_kib, settings.password_passes)

    async def hash(self, password: str) -> str:
        """Hash a password."""
        return await self.worker.ask(Hash(password), str)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Compare a password with its hash; without one it takes as long and is wrong."""
        return await self.worker.ask(Verify(kept, password), bool)

    def is_outdated(self, kept: str) -> bool:
        """Whether a password's hash is not as it would be made now."""
        return bool(BCRYPT.fullmatch(kept)) or self._hasher.check_needs_rehash(kept)


class Passwords:
    """A bounded number of processes that hash; who would wait too long is told to come back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._room = asyncio.Semaphore(settings.password_workers)
        self._ready: list[Worker] = []
        self._waiting = 0
        self._usual_s = 0.0
        self._is_closed = False

    async def open(self, app: Litestar) -> None:
        """Nothing to start: a process starts when the first who needs it comes."""

    async def close(self) -> None:
        """End the processes."""
        self._is_closed = True
        while self._ready:
            await self._ready.pop().end()

    async def hash(self, password: str) -> str:
        """Hash a password; raises ``UnavailableError`` when there is no room in time."""
        async with self.place() as place:
            return await place.hash(password)

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Place]:
        """Wait for room; raises ``UnavailableError`` when there is none in time.

        Whoever would wait too long, as far as one can tell, does not wait at all.
        """
        await self._enter()
        began = time.perf_counter()
        try:
            async with self._worker() as worker:
                yield Place(worker, self._settings)
        finally:
            self._usual_s += (time.perf_counter() - began - self._usual_s) * _LATEST
            self._room.release()

    async def _enter(self) -> None:
        expected_s = (self._waiting + 1) * self._usual_s / self._settings.password_workers
        if self._room.locked() and expected_s > self._settings.password_wait_s:
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._settings.password_wait_s):
                await self._room.acquire()
        except TimeoutError as exc:
            raise _busy() from exc
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def _worker(self) -> AsyncGenerator[Worker]:
        worker = await self._found() or await Worker.start(self._settings)
        try:
            yield worker
        finally:
            # who left in the middle has left an answer behind, which is nobody else's
            if worker.is_ready and not self._is_closed:
                self._ready.append(worker)
            else:
                await worker.end()

    async def _found(self) -> Worker | None:
        while self._ready:
            worker = self._ready.pop()
            if worker.is_ready:
                return worker
            await worker.end()
        return None


def is_importable(kept: str, settings: Settings) -> bool:
    """Whether a hash that was made elsewhere can be verified here, at a cost that is bearable."""
    if found := BCRYPT.fullmatch(kept):
        return int(found["rounds"]) <= settings.password_bcrypt_rounds_max
    try:
        cost = extract_parameters(kept)
    except InvalidHashError:
        return False
    work = cost.memory_cost * cost.time_cost
    return work <= settings.password_imported_kib_max


def _busy() -> UnavailableError:
    return UnavailableError("Too many are logging in; try again.", wait_s=2)
