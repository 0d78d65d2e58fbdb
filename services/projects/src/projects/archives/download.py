"""How an archive leaves: piece by piece from its file, which is gone afterwards."""

import asyncio
from typing import override

from litestar.types import HTTPResponseStartEvent, Receive, Scope, Send

from common import slim
from projects.archives.service import Packed

_PIECE = 262_144


class Download(slim.Reply):
    """A part of an archive, or all of it: an ASGI application of one answer."""

    def __init__(
        self, packed: Packed, status_code: int, headers: slim.Headers, first: int, length: int
    ) -> None:
        super().__init__(b"", status_code, headers)
        self._packed = packed
        self._first = first
        self._length = length

    @override
    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send it; a ``HEAD`` gets no body. Whatever happens, the file goes away."""
        length = (b"content-length", str(self._length).encode())
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": [*self.headers, length],
        }
        try:
            await send(start)
            left = 0 if scope.get("method") == "HEAD" else self._length
            self._packed.file.seek(self._first)
            while left > 0:
                piece = await asyncio.to_thread(self._packed.file.read, min(left, _PIECE))
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._packed.close()
