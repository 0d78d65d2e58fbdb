"""The documents that are open in this process: loaded once, and let go when nobody needs them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from collab.documents import loading, mainline
from collab.documents.closings import Closings
from collab.documents.document import Document
from collab.documents.mainline import FencedError, FullError, GoneError, NoTextError
from collab.documents.means import Means
from collab.documents.news import News
from collab.documents.types import Key, LiveFile, Stored
from collab.documents.writebacks import WriteBacks
from collab.documents.writer import Signals
from collab.outages import UNREACHABLE
from collab.sockets import closing
from collab.sockets.endpoint import Endpoint
from collab.workshop.workshop import SpoiledError
from collab.yjs.awareness import Author
from common.errors import NotFoundError, UnavailableError

log = structlog.get_logger()

_ATTEMPTS = 4
# entries of a log that nobody has open, beside its snapshot
_CLOSED_ROWS_MAX = 32


class Library:
    """The open documents, by their file's id and by project and path."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self._open: dict[UUID, Document] = {}
        self._places: dict[Key, Document] = {}
        # what is being loaded, by what it was asked for with
        self._loading: dict[Key | UUID, asyncio.Task[Document]] = {}
        self._closings = Closings(partial(loading.close, means), self._is_loading)
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = News(means.settings, self.start, self.look)
        self.write_backs = WriteBacks(means.settings, self.start, self.write_back)

    async def open(self, key: Key) -> Document:
        """Return the live document at a path; however many ask at once, it is loaded once.

        Raises ``NotFoundError`` where there is no such text file, and ``UnavailableError``.
        """
        document = self._places.get(key)
        if document is not None:
            return document
        return await self._once(key, lambda: self._load(key))

    async def by_id(self, project_id: UUID, file_id: UUID) -> Document:
        """Return the document of a file, wherever it is; raises as ``open`` does."""
        for _ in range(_ATTEMPTS):
            document = self._open.get(file_id)
            if document is not None:
                return document
            file = (await self.means.projects.look(project_id, {file_id: None}))[0]
            if file.path is None:
                raise NotFoundError("There is no such file.")
            document = await self.open((project_id, file.path))
            if document.id == file_id:
                return document
        raise UnavailableError

    async def on[T](
        self, project_id: UUID, file_id: UUID, work: Callable[[Document], Awaitable[T]]
    ) -> T:
        """Do something with a document; with the next one where it is let go of in that moment."""
        for _ in range(_ATTEMPTS):
            document = await self.by_id(project_id, file_id)
            try:
                return await work(document)
            except UnavailableError:
                if not document.is_dropped:
                    raise
        raise UnavailableError

    async def _once(
        self, name: Key | UUID, work: Callable[[], Coroutine[Any, Any, Document]]
    ) -> Document:
        task = self._loading.get(name)
        if task is None:
            task = self._loading[name] = asyncio.get_running_loop().create_task(work())
            task.add_done_callback(lambda _: self._loading.pop(name, None))
        return await asyncio.shield(task)

    async def _load(self, key: Key) -> Document:
        await self._closings.passed(key[0])
        epoch = self.means.leases.epoch(key[0])
        if epoch is None:
            raise UnavailableError
        file = await self.means.projects.open_file(*key, epoch)
        self._closings.forget(key[0], file.file_id)
        # it may be open under the path that it had
        known = self._open.get(file.file_id)
        if known is None:
            known = await self._once(file.file_id, lambda: self._made(key, file))
        if self.means.leases.epoch(key[0]) != epoch:
            self.drop(known, closing.RESTARTING, "the project is open elsewhere")
            raise UnavailableError
        self._place(known, key)
        return known

    async def _made(self, key: Key, file: LiveFile) -> Document:
        stored = await loading.load(self.means, key[0], file)
        try:
            document = self._document(key, stored, file.flushed_seq)
            await mainline.begin(self.means, document, file)
        except SpoiledError as exc:
            await loading.put_aside(self.means, stored.id, stored.seq)
            raise UnavailableError from exc
        except (GoneError, FencedError) as exc:
            raise UnavailableError from exc
        self._open[document.id] = document
        if not document.is_clean:
            self.write_backs.soon(document)
        self._let_go_later(document)
        return document

    def _document(self, key: Key, stored: Stored, flushed_seq: int) -> Document:
        def lost(code: int, reason: str) -> None:
            log.error("document_lost", document_id=document.id, reason=reason)
            self.drop(document, code, reason)

        signals = Signals(
            fenced=lambda: lost(closing.RESTARTING, "the document is open elsewhere"),
            unavailable=lambda: lost(closing.OVERLOADED, "changes cannot be kept now"),
            long=lambda: self.write_backs.now(document),
            accepted=lambda: self.write_backs.soon(document),
        )
        return (document := loading.document(self.means, key, stored, flushed_seq, signals))

    def _place(self, document: Document, key: Key) -> None:
        if document.is_dropped:
            raise UnavailableError
        self._places.pop(document.key, None)
        document.key = key
        self._places[key] = document

    def at(self, key: Key) -> Document | None:
        """Return the document at a path, if it is open."""
        return self._places.get(key)

    def of_project(self, project_id: UUID) -> list[Document]:
        """Return a project's open documents."""
        return [one for one in self._open.values() if one.project_id == project_id]

    def leave(self, document: Document, socket: Endpoint, author: Author) -> None:
        """Let a socket go; some time after the last one the document leaves memory."""
        document.leave(socket, author)
        if not document.sockets:
            self.write_backs.now(document)
            self._let_go_later(document)

    def _let_go_later(self, document: Document) -> None:
        asyncio.get_running_loop().call_later(
            self.means.settings.document_idle_s, self._let_go, document
        )

    def _let_go(self, document: Document) -> None:
        if not document.sockets and self._open.get(document.id) is document:
            self.start(self._unload(document))

    async def _unload(self, document: Document) -> None:
        """Write back, say that the file is not live any more, and forget the document."""
        try:
            async with document.lock:
                await mainline.write_back(self.means, document, rows_max=_CLOSED_ROWS_MAX)
                is_wanted = document.sockets or self._is_loading(document.project_id)
                if is_wanted or not document.is_clean or document.is_dropped:
                    self._let_go_later(document)
                else:
                    # who asks for it from here on waits, and loads it anew
                    self._forget(document)
                    document.ended.set()
                    await asyncio.shield(self._closings.send(document.project_id, document.id))
        except (FencedError, GoneError, SpoiledError) as exc:
            await self._fail(document, exc)
        except (FullError, UnavailableError, *UNREACHABLE) as exc:
            log.warning("document_stays", document_id=document.id, error=repr(exc))
            self._let_go_later(document)

    def _is_loading(self, project_id: UUID) -> bool:
        return any(isinstance(name, tuple) and name[0] == project_id for name in self._loading)

    async def write_back(self, document: Document, *, hold: bool = False) -> None:
        """Let the document's file have what was typed; the document ends where that cannot be.

        Raises ``UnavailableError`` and ``NotFoundError``.
        """
        async with document.lock:
            await self.write_back_locked(document, hold=hold)

    async def write_back_locked(self, document: Document, *, hold: bool = False) -> None:
        """Do the same for who has the document's lock."""
        if document.is_dropped:
            raise UnavailableError
        try:
            await mainline.write_back(self.means, document, hold=hold)
        except (FencedError, GoneError, SpoiledError) as exc:
            await self._fail(document, exc)
            if isinstance(exc, GoneError):
                raise NotFoundError("There is no such file.") from exc
            raise UnavailableError from exc
        except FullError as exc:
            document.is_full = True
            raise UnavailableError from exc
        except UNREACHABLE as exc:
            raise UnavailableError from exc

    def heard(self, key: Key) -> None:
        """Follow the file at a path, soon: somebody says that it changed, moved or went."""
        document = self._places.get(key)
        if document is not None:
            self._news.heard(document)

    async def look(self, document: Document) -> None:
        """See what the file is now, and follow it; raises ``UnavailableError``."""
        async with document.lock:
            if not document.is_dropped:
                await self.follow(document)

    async def follow(self, document: Document, file: LiveFile | None = None) -> None:
        """Let the document be what the file is, for who has its lock."""
        try:
            if file is None:
                file = await mainline.catch_up(self.means, document)
            else:
                await mainline.take_in(self.means, document, file)
        except (FencedError, GoneError, SpoiledError) as exc:
            await self._fail(document, exc)
            return
        if file.path is not None and file.path != document.key[1] and not document.is_dropped:
            self._place(document, (document.project_id, file.path))

    async def _fail(self, document: Document, exc: Exception) -> None:
        """End a document whose file is gone, which is another process's, or which is spoiled."""
        if isinstance(exc, FencedError):
            self.drop(document, closing.RESTARTING, "the document is open elsewhere")
            return
        if isinstance(exc, SpoiledError):
            document.writer.lose()
            with suppress(UnavailableError):
                await loading.put_aside(self.means, document.id, document.writer.seq)
            self.drop(document, closing.RESET, "the document begins anew")
            return
        self.drop(document, closing.NOT_FOUND, "the file is gone")
        if isinstance(exc, NoTextError):
            # its bytes are what the file is, and nobody needs to ask here for them
            _ = self._closings.send(document.project_id, document.id)

    def drop(self, document: Document, code: int, reason: str) -> None:
        """End a document at once; what is not durable is not kept."""
        self._forget(document)
        document.ended.set()
        document.writer.lose()
        document.shut(code, reason)

    def drop_project(self, project_id: UUID) -> None:
        """End the documents of a project that is another process's now."""
        for document in self.of_project(project_id):
            self.drop(document, closing.RESTARTING, "the project is open elsewhere")

    def _forget(self, document: Document) -> None:
        self.write_backs.forget(document)
        if self._open.get(document.id) is document:
            del self._open[document.id]
        if self._places.get(document.key) is document:
            del self._places[document.key]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> set[UUID]:
        """Write everything back and close it, for as long as that may take.

        Returns the projects of which something is left to be written back.
        """
        documents = list(self._open.values())
        try:
            async with asyncio.timeout(2 * self.means.settings.durable_wait_s):
                unloading = [self._unload(one) for one in documents]
                await asyncio.gather(*unloading, return_exceptions=True)
        except TimeoutError:
            log.warning("documents_left", count=len(self._open))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return {one.project_id for one in self._open.values()}
