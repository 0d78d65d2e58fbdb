"""Chat as sockets bring it: at a pace that others can read, and written before it is answered."""

import asyncio
from collections.abc import Callable, Coroutine
from uuid import UUID

import structlog

from collab.chat import service
from collab.chat.schema import NewMessage
from collab.errors import RateLimitedError
from collab.settings import Settings
from common import exchange
from common.access import Ask
from common.database import Database
from common.ids import uuid7

log = structlog.get_logger()

_USERS_MAX = 10_000


class Pace:
    """How much each user has said lately, in this process."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._spent: dict[UUID, tuple[float, float]] = {}

    def step(self, user_id: UUID, now: float) -> None:
        """Count one; raises ``RateLimitedError``."""
        spent = self._at(user_id, now) + 1
        if spent > self._burst:
            wait_s = max(1, round((spent - self._burst) / self._per_second))
            message = "That was too much at once: wait a moment."
            raise RateLimitedError(message, limit=self._burst, wait_s=wait_s)
        if len(self._spent) >= _USERS_MAX:
            self._spent = {one: x for one, x in self._spent.items() if self._at(one, now) > 0}
        self._spent[user_id] = spent, now

    def _at(self, user_id: UUID, now: float) -> float:
        spent, since = self._spent.get(user_id, (0.0, now))
        return max(0.0, spent - (now - since) * self._per_second)


class Speaker:
    """Says what members say on sockets. ``wake`` tells the relay that there is something."""

    def __init__(
        self, db: Database, ask: Ask, settings: Settings, wake: Callable[[], None]
    ) -> None:
        self._db = db
        self._ask = ask
        self._wake = wake
        self._pace = Pace(settings.chat_burst, settings.chat_per_second)
        self._close_s_max = settings.chat_close_s_max
        self._tasks: set[asyncio.Task[None]] = set()

    def step(self, user_id: UUID) -> None:
        """Count something that a user says; raises ``RateLimitedError``."""
        self._pace.step(user_id, asyncio.get_running_loop().time())

    async def post(self, project_id: UUID, user_id: UUID, new: NewMessage) -> None:
        """Write a message; raises what the service raises."""
        exchange.enter(exchange.Exchange(str(uuid7())))
        await service.post(self._db, self._ask, project_id, user_id, new)
        self._wake()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Do something that goes on when the socket that began it has ended."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let what was said be written, if that can be done in time.

        What cannot was not answered, and comes again to another process.
        """
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._close_s_max)
        for task in late:
            task.cancel()
        if late:
            log.warning("chat_given_up", messages=len(late))
