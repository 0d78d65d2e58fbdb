"""The words on their way that files are not live any more."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from collab.outages import UNREACHABLE
from common.errors import ServiceError

log = structlog.get_logger()

_PAUSE_S = 1.0
_PAUSE_S_MAX = 10.0
_ATTEMPTS = 30


class Closings:
    """By project. One that is on its way must not overtake the word that the file is live again.

    What did not arrive is said again later, unless the file was opened meanwhile.
    ``is_loading`` tells whether something of a project is being opened.
    """

    def __init__(
        self,
        close: Callable[[UUID, list[UUID]], Awaitable[None]],
        is_loading: Callable[[UUID], bool],
    ) -> None:
        self._close = close
        self._is_loading = is_loading
        self._under_way: dict[UUID, set[asyncio.Task[None]]] = {}
        # with how often it was tried
        self._owed: dict[UUID, dict[UUID, int]] = {}

    async def passed(self, project_id: UUID) -> None:
        """Wait until none of the project is under way."""
        while under_way := self._under_way.get(project_id):
            await asyncio.wait(set(under_way))

    def send(self, project_id: UUID, file_id: UUID) -> asyncio.Task[None]:
        """Let one go, whoever waits for it; return it."""
        return self._send(project_id, {file_id: 0})

    def forget(self, project_id: UUID, file_id: UUID) -> None:
        """Say nothing of a file any more: it is live again, and may have more than its row."""
        self._owed.get(project_id, {}).pop(file_id, None)

    def _send(self, project_id: UUID, files: dict[UUID, int]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._try(project_id, files))
        self._under_way.setdefault(project_id, set()).add(task)
        task.add_done_callback(lambda _: self._arrived(project_id, task))
        return task

    async def _try(self, project_id: UUID, files: dict[UUID, int]) -> None:
        try:
            await self._close(project_id, list(files))
        except (ServiceError, *UNREACHABLE) as exc:
            again = {file_id: n + 1 for file_id, n in files.items() if n + 1 < _ATTEMPTS}
            log.warning(
                "files_stay_marked",
                project_id=project_id,
                for_good=len(files) - len(again),
                error=repr(exc),
            )
            self._wait(project_id, again)

    def _arrived(self, project_id: UUID, task: asyncio.Task[None]) -> None:
        others = self._under_way[project_id]
        others.discard(task)
        if not others:
            del self._under_way[project_id]

    def _wait(self, project_id: UUID, files: dict[UUID, int]) -> None:
        if not files:
            return
        owed = self._owed.get(project_id)
        if owed is not None:
            owed.update(files)
            return
        self._owed[project_id] = files
        pause_s = min(_PAUSE_S_MAX, _PAUSE_S * 2 ** max(files.values()))
        asyncio.get_running_loop().call_later(pause_s, self._again, project_id)

    def _again(self, project_id: UUID) -> None:
        files = self._owed.pop(project_id)
        if self._is_loading(project_id):
            # one of them, perhaps
            self._wait(project_id, files)
        elif files:
            _ = self._send(project_id, files)
