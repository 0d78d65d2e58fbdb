"""Holding documents still while their files are changed from outside, for a moment."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
import structlog

from collab.documents.document import Document
from collab.documents.library import Library
from common.errors import NotFoundError, UnavailableError
from common.ids import uuid7

log = structlog.get_logger()


class _Hold(msgspec.Struct):
    project_id: UUID
    documents: list[Document]
    timer: asyncio.TimerHandle | None = None


class Holds:
    """What is held, by the id that its holder got.

    A held document is written back, and acknowledges nothing; it takes what is typed, and passes it
    on. A holder that does not come back in time is not waited for.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._settings = library.means.settings
        self._holds: dict[UUID, _Hold] = {}

    async def hold(self, project_id: UUID, file_ids: Sequence[UUID]) -> UUID:
        """Hold documents; raises ``UnavailableError`` where that takes too long."""
        hold = _Hold(project_id, [])
        try:
            async with asyncio.timeout(self._settings.hold_wait_s):
                # in one order, so that two who hold several never wait for each other
                for file_id in sorted(set(file_ids)):
                    await self._add(hold, file_id)
        except BaseException as exc:
            self._let_go(hold)
            if isinstance(exc, TimeoutError):
                raise UnavailableError from exc
            raise
        hold_id = uuid7()
        self._holds[hold_id] = hold
        hold.timer = asyncio.get_running_loop().call_later(
            self._settings.hold_s_max, self._run_out, hold_id
        )
        return hold_id

    async def _add(self, hold: _Hold, file_id: UUID) -> None:
        async def add(document: Document) -> None:
            await document.lock.acquire()
            hold.documents.append(document)
            await self._library.write_back_locked(document, hold=True)

        try:
            await self._library.on(hold.project_id, file_id, add)
        except NotFoundError:
            # gone in the meantime: the holder will see that
            return

    def _run_out(self, hold_id: UUID) -> None:
        log.warning("hold_ran_out", hold_id=hold_id)
        self._library.start(self.release(hold_id))

    async def release(self, hold_id: UUID) -> None:
        """See what the files are now, follow them, and go on."""
        hold = self._holds.pop(hold_id, None)
        if hold is None:
            return
        if hold.timer is not None:
            hold.timer.cancel()
        try:
            await self._follow(hold)
        except UnavailableError:
            # they follow as soon as somebody asks for them, or the news of it come
            log.warning("hold_not_followed", hold_id=hold_id)
        finally:
            self._let_go(hold)

    async def _follow(self, hold: _Hold) -> None:
        live = {one.id: one for one in hold.documents if not one.is_dropped}
        if not live:
            return
        known = {one.id: one.base.file_hash for one in live.values()}
        for file in await self._library.means.projects.look(hold.project_id, known):
            document = live.get(file.file_id)
            if document is None or document.is_dropped:
                continue
            if file.hash is not None:
                # what came of the file is written behind what was typed meanwhile, which nobody
                # acknowledges any more where the file is gone
                document.writer.go_on()
            await self._library.follow(document, file)

    def _let_go(self, hold: _Hold) -> None:
        for document in hold.documents:
            document.writer.go_on()
            document.lock.release()
        hold.documents = []
