"""The words on their way that files are not live any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import structlog

log = structlog.get_logger()


class Closings:
    """By project. One that is on its way must not overtake the word that the file is live again."""

    def __init__(self) -> None:
        self._under_way: dict[UUID, set[asyncio.Task[None]]] = {}

    async def passed(self, project_id: UUID) -> None:
        """Wait until none of the project is under way."""
        while under_way := self._under_way.get(project_id):
            await asyncio.wait(set(under_way))

    def send(self, project_id: UUID, word: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let one go, whoever waits for it; return it."""
        task = asyncio.get_running_loop().create_task(word)
        self._under_way.setdefault(project_id, set()).add(task)
        task.add_done_callback(lambda _: self._arrived(project_id, task))
        return task

    def _arrived(self, project_id: UUID, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.warning("file_stays_marked", project_id=project_id, error=repr(exc))
        others = self._under_way[project_id]
        others.discard(task)
        if not others:
            del self._under_way[project_id]
