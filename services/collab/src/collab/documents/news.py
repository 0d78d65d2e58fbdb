"""What becomes of the word that a file has changed: somebody looks, once for several of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

from collab.documents.document import Document
from collab.settings import Settings
from common.errors import UnavailableError

# after that the file is looked at when somebody asks for it, or types
_LOOKS_MAX = 30


class News:
    """The documents whose files somebody said something about, and nobody has looked at yet."""

    def __init__(
        self,
        settings: Settings,
        start: Callable[[Coroutine[Any, Any, None]], None],
        look: Callable[[Document], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._start = start
        self._look = look
        self._waiting: set[UUID] = set()

    def heard(self, document: Document) -> None:
        """Look at the document's file, soon."""
        if document.id not in self._waiting:
            self._waiting.add(document.id)
            self._start(self._follow(document))

    async def _follow(self, document: Document) -> None:
        for _ in range(_LOOKS_MAX):
            # news that come from here on are not seen by the look
            self._waiting.discard(document.id)
            try:
                await self._look(document)
            except UnavailableError:
                self._waiting.add(document.id)
                await asyncio.sleep(self._settings.write_back_s)
            else:
                return
        self._waiting.discard(document.id)
