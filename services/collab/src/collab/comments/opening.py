"""Opening a document from within a request that may hold a connection to the database."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

from litestar.types import ASGIApp, Receive, Scope, Send

from common import exchange

_AT_ONCE = 3


class FewAtOnce:
    """Middleware of a route that asks for a second connection while it holds one.

    Where all who may come held one, nobody would get a second.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        async with self._turns:
            await self._app(scope, receive, send)


async def apart[T](work: Callable[[], Awaitable[T]]) -> T:
    """Do something outside of the transaction that a request is.

    A document that comes to life stays alive when the request that wanted it fails.
    """
    now = exchange.current()

    async def run() -> T:
        if now is not None:
            exchange.enter(now)
        return await work()

    return await asyncio.create_task(run(), context=Context())
