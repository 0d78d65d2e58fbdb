"""Calls to other services of the fleet: a deadline, the fleet's secret, the request's own ids."""

from typing import Any

import httpx
import msgspec

from common import exchange
from common.errors import NotFoundError, UnavailableError

_NOT_FOUND = 404
_FAILED = 400


class Peer:
    """Another service's internal routes."""

    def __init__(self, url: str, secret: str, *, timeout_s: float, caller: str) -> None:
        headers = {"x-fleet-secret": secret, "x-internal-caller": caller}
        self._client = httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout_s)

    async def get[T](self, path: str, into: type[T], **query: str | int) -> T:
        """Read ``path`` into ``into``; raises ``NotFoundError`` and ``UnavailableError``."""
        return msgspec.json.decode(await self._ask("GET", path, params=query), type=into)

    async def post[T](self, path: str, body: Any, into: type[T]) -> T:  # noqa: ANN401 - any struct
        """Send ``body`` to ``path`` and read the answer."""
        headers = {"content-type": "application/json"}
        content = msgspec.json.encode(body)
        return msgspec.json.decode(
            await self._ask("POST", path, content=content, headers=headers), type=into
        )

    async def read(self, path: str) -> bytes:
        """Read ``path`` as it is."""
        return await self._ask("GET", path)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        now = exchange.current()
        ids = {"x-request-id": now.request_id} if now and now.request_id else {}
        if now and now.traceparent:
            ids["traceparent"] = now.traceparent
        try:
            answer = await self._client.request(
                method, path, params=params, content=content, headers={**ids, **(headers or {})}
            )
        except httpx.HTTPError as exc:
            raise UnavailableError from exc
        if answer.status_code == _NOT_FOUND:
            raise NotFoundError("There is no such thing.")
        if answer.status_code >= _FAILED:
            raise UnavailableError
        return answer.content

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
