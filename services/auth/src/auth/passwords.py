"""Passwords: argon2id, beside the event loop, and never more at once than there are workers for."""

import asyncio
import os
import re
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import bcrypt
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from litestar import Litestar

from auth.secrets import fresh
from auth.settings import Settings
from common.errors import UnavailableError

_BCRYPT = re.compile(r"\$2[aby]\$(?P<rounds>0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
# what bcrypt has ever looked at: whoever made a hash of more has cut it here
_BCRYPT_BYTES_MAX = 72
# how much one measurement moves the average
_LATEST = 0.2


class Place:
    """Room for one who hashes or verifies; ``Passwords.place`` gives it."""

    def __init__(self, hasher: PasswordHasher, pool: ThreadPoolExecutor, nobody: str) -> None:
        self._hasher = hasher
        self._pool = pool
        self._nobody = nobody

    async def hash(self, password: str) -> str:
        """Hash a password."""
        return await self._beside(lambda: self._hasher.hash(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Compare a password with its hash; without one it takes as long and is wrong."""

        def compare() -> bool:
            try:
                if kept and _BCRYPT.fullmatch(kept):
                    return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES_MAX], kept.encode())
                self._hasher.verify(kept or self._nobody, password)
            except (VerificationError, InvalidHashError, ValueError):
                return False
            return bool(kept)

        return await self._beside(compare)

    def is_outdated(self, kept: str) -> bool:
        """Whether a password's hash is not as it would be made now."""
        return bool(_BCRYPT.fullmatch(kept)) or self._hasher.check_needs_rehash(kept)

    async def _beside[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


class Passwords:
    """A bounded pool that hashes and verifies; who would wait too long is told to come back."""

    def __init__(self, settings: Settings) -> None:
        hasher = PasswordHasher(
            time_cost=settings.password_passes,
            memory_cost=settings.password_memory_kib,
            parallelism=1,
            type=Type.ID,
        )
        self._pool = ThreadPoolExecutor(
            settings.password_workers,
            thread_name_prefix="argon2",
            initializer=_give_way,
            initargs=(settings.password_niceness,),
        )
        # an unknown account is verified against a hash too, so that it takes as long as a known one
        self._place = Place(hasher, self._pool, hasher.hash(fresh()))
        self._room = asyncio.Semaphore(settings.password_workers)
        self._workers = settings.password_workers
        self._wait_s = settings.password_wait_s
        self._waiting = 0
        self._usual_s = 0.0

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Let what runs end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Hash a password; raises ``UnavailableError`` when there is no room in time."""
        async with self.place() as place:
            return await place.hash(password)

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Place]:
        """Wait for room; raises ``UnavailableError`` when there is none in time.

        Whoever would wait too long, as far as one can tell, does not wait at all.
        """
        if self._room.locked() and self._expected_s() > self._wait_s:
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._room.acquire()
        except TimeoutError as exc:
            raise _busy() from exc
        finally:
            self._waiting -= 1
        began = time.perf_counter()
        try:
            yield self._place
        finally:
            self._usual_s += (time.perf_counter() - began - self._usual_s) * _LATEST
            self._room.release()

    def _expected_s(self) -> float:
        return (self._waiting + 1) * self._usual_s / self._workers


def is_importable(kept: str, settings: Settings) -> bool:
    """Whether a hash that was made elsewhere can be verified here, at a cost that is bearable."""
    if found := _BCRYPT.fullmatch(kept):
        return int(found["rounds"]) <= settings.password_bcrypt_rounds_max
    try:
        cost = extract_parameters(kept)
    except InvalidHashError:
        return False
    work = cost.memory_cost * cost.time_cost
    return work <= settings.password_imported_kib_max


def _busy() -> UnavailableError:
    return UnavailableError("Too many are logging in; try again.", wait_s=2)


def _give_way(niceness: int) -> None:
    """Let whatever else wants the processors have them first."""
    # elsewhere a thread has no priority of its own
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
