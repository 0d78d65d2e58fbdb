"""The documents that are open in this process: loaded once, and let go when nobody needs them."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import structlog

from collab.documents import service
from collab.documents.document import Document
from collab.documents.service import UNREACHABLE, Means
from collab.documents.types import Entry, Key, Stored
from collab.documents.writer import Signals
from collab.sockets import closing
from collab.sockets.connection import Socket
from collab.yjs.awareness import Author
from common.errors import NotFoundError, UnavailableError

log = structlog.get_logger()


class Library:
    """The open documents by project and path."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._open: dict[Key, Document] = {}
        self._opening: dict[Key, asyncio.Task[Document]] = {}
        self._changed: dict[UUID, str] = {}
        self._refreshing: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, key: Key) -> Document:
        """Return the live document; however many ask at once, it is loaded once.

        Raises ``NotFoundError`` where there is no such text file, and ``UnavailableError``.
        """
        document = self._open.get(key)
        if document is not None:
            return document
        task = self._opening.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load(key))
            self._opening[key] = task
        return await asyncio.shield(task)

    async def _load(self, key: Key) -> Document:
        try:
            stored = await service.load(self._means, key)
            document = self._made(key, stored)
            if stored.is_behind:
                await service.catch_up(self._means, document, "")
            self._open[key] = document
            self._let_go_later(document)
        finally:
            del self._opening[key]
        return document

    def _made(self, key: Key, stored: Stored) -> Document:
        async def append(entry: Entry) -> bool:
            return await service.append(self._means, document, entry)

        def lost(code: int, reason: str) -> None:
            log.error("document_lost", document_id=document.id, reason=reason)
            self._drop(document, code, reason)

        signals = Signals(
            fenced=lambda: lost(closing.RESTARTING, "the document is open elsewhere"),
            unavailable=lambda: lost(closing.OVERLOADED, "changes cannot be kept now"),
            long=lambda: self._start(self._compact(document)),
        )
        document = Document(key, stored, self._means.settings, append, signals)
        return document

    async def live(self, key: Key) -> Document | None:
        """Return the document if it is open, or is about to be."""
        opening = self._opening.get(key)
        if opening is not None:
            await asyncio.wait({opening})
        return self._open.get(key)

    def leave(self, document: Document, socket: Socket, author: Author) -> None:
        """Let a socket go; some time after the last one the document leaves memory."""
        document.leave(socket, author)
        if not document.sockets:
            self._let_go_later(document)

    def _let_go_later(self, document: Document) -> None:
        asyncio.get_running_loop().call_later(
            self._means.settings.document_idle_s, self._let_go, document
        )

    def _let_go(self, document: Document) -> None:
        if not document.sockets and self._open.get(document.key) is document:
            self._start(self._unload(document))

    async def _unload(self, document: Document) -> None:
        await document.writer.settled()
        await self._compact(document)
        # somebody may have come, and typed, meanwhile
        if not document.sockets and document.writer.is_settled:
            self._forget(document)

    async def _compact(self, document: Document) -> None:
        try:
            await service.compact(self._means, document)
        except UNREACHABLE as exc:
            log.warning("compaction_failed", error=repr(exc))

    def _forget(self, document: Document) -> None:
        if self._open.get(document.key) is document:
            del self._open[document.key]

    def _drop(self, document: Document, code: int, reason: str) -> None:
        self._forget(document)
        document.is_dropped = True
        document.shut(code, reason)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def moved(self, key: Key, to: str) -> None:
        """Let the live document go on under its new path."""
        target = key[0], to
        document, other = await self.live(key), await self.live(target)
        if other is not None and other.was_edited:
            if document is not None:
                self._drop(document, closing.NOT_FOUND, "the file was moved onto another")
            return
        if other is not None:
            self._drop(other, closing.RESET, "another document moved here")
        if document is not None:
            self._forget(document)
            document.key = target
            self._open[target] = document

    async def deleted(self, key: Key) -> None:
        """End the live document."""
        document = await self.live(key)
        if document is not None:
            self._drop(document, closing.NOT_FOUND, "the file was deleted")

    async def changed(self, key: Key, digest: str, actor: str) -> None:
        """Take a change that was made to the file elsewhere into the live document, soon."""
        document = await self.live(key)
        if document is None or document.file_hash == digest:
            return
        self._changed[document.id] = actor
        if document.id not in self._refreshing:
            self._refreshing.add(document.id)
            self._start(self._refresh(document))

    async def _refresh(self, document: Document) -> None:
        """Follow the file until no change of it waits; several in a row are one."""
        try:
            while (actor := self._changed.pop(document.id, None)) is not None:
                try:
                    await service.catch_up(self._means, document, actor)
                except NotFoundError:
                    log.info("file_is_no_text_any_more", document_id=document.id)
                except UnavailableError:
                    if self._open.get(document.key) is not document:
                        return  # whoever opens it next sees that it is behind
                    self._changed.setdefault(document.id, actor)
                    await asyncio.sleep(self._means.settings.refresh_retry_s)
        finally:
            self._refreshing.discard(document.id)

    async def close(self) -> None:
        """Make everything durable, for as long as that may take."""
        documents = list(self._open.values())
        async with asyncio.TaskGroup() as group:
            for document in documents:
                group.create_task(document.writer.settled())
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
