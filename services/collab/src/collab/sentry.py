"""Asks what is not heard: who may still be here, for as long as no events come."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from collab.outages import UNREACHABLE
from collab.settings import Settings
from collab.sockets.gate import Gate
from common.access import Ask, learn
from common.database import Database
from common.errors import ServiceError
from common.forever import forever

log = structlog.get_logger()

_LOOK_S = 0.5
_ASKS_MAX = 8


class Sentry:
    """Asks projects about roles, and auth about sessions.

    ``silent_s`` says for how long nothing was heard.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database,
        gate: Gate,
        ask: Ask,
        is_live: Callable[[str], Awaitable[bool]],
        silent_s: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._db = db
        self._gate = gate
        self._ask = ask
        self._is_live = is_live
        self._silent_s = silent_s
        self._turns = asyncio.Semaphore(_ASKS_MAX)

    async def run(self) -> None:
        """Watch for ever."""
        await forever("sentry", self._watch, pause_s=_LOOK_S)

    async def _watch(self) -> None:
        if self._silent_s() < self._settings.events_silent_s_max:
            return
        log.warning("events_silent", silent_s=round(self._silent_s()))
        async with asyncio.TaskGroup() as group:
            for project_id in self._gate.projects():
                group.create_task(self._in_turn(self._look, project_id))
            for user_id, session_id in self._gate.sessions():
                group.create_task(self._in_turn(self._look_at_session, user_id, session_id))
        await asyncio.sleep(self._settings.silent_ask_s)

    async def _in_turn[*Of](self, look: Callable[[*Of], Awaitable[None]], *of: *Of) -> None:
        """Ask, a few at a time; what cannot be answered now is asked again."""
        async with self._turns:
            try:
                await look(*of)
            except (ServiceError, *UNREACHABLE) as exc:
                log.warning("sentry_waits", error=repr(exc))

    async def _look(self, project_id: UUID) -> None:
        """Do as if there were news of a project's members."""
        access = await self._ask(project_id)
        if access is None:
            self._gate.gone(project_id)
            return
        await learn(self._db, access)
        await self._gate.changed(project_id)

    async def _look_at_session(self, user_id: UUID, session_id: str) -> None:
        if not await self._is_live(session_id):
            self._gate.end_session(user_id, session_id)
