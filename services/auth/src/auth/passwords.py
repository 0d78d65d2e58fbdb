"""Passwords: argon2id, beside the event loop, and never more at once than there are workers for."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from litestar import Litestar

from auth.secrets import fresh
from auth.settings import Settings
from common.errors import UnavailableError


class Passwords:
    """A bounded pool that hashes and verifies; who would wait too long is told to come back."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.password_passes,
            memory_cost=settings.password_memory_kib,
            parallelism=1,
            type=Type.ID,
        )
        self._pool = ThreadPoolExecutor(settings.password_workers, thread_name_prefix="argon2")
        self._room = asyncio.Semaphore(settings.password_workers)
        self._wait_s = settings.password_wait_s
        # what an unknown account is verified against, so that it takes as long as a known one
        self._nobody = self._hasher.hash(fresh())

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Let what runs end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Hash a password; raises ``UnavailableError`` when there is no room in time."""
        return await self._beside(lambda: self._hasher.hash(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Compare a password with its hash; without one it takes as long and is wrong."""

        def compare() -> bool:
            try:
                self._hasher.verify(kept or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
            return bool(kept)

        return await self._beside(compare)

    async def _beside[T](self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._room.acquire()
        except TimeoutError as exc:
            raise UnavailableError("Too many are logging in; try again.", wait_s=2) from exc
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._room.release()
