"""What happens around every request: its ids, the fleet's secret, its timing, one log line."""

import hmac
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from common import errors, exchange, telemetry, unread
from common.exchange import Exchange
from common.ids import uuid7

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}")
_GUARDED = (b"x-user-", b"x-auth-", b"x-internal-")
_OPEN = ("/health/live", "/health/ready")
# the second is Envoy's name for where it asks for its configuration
_FLEETS_OWN = ("/internal/", "/v3/discovery:")


class Edge:
    """Wraps a service's application. Identity headers without the secret are answered with 401."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        secret: str,
        log: bool,
        announced: Callable[[], None],
        unread_bytes_max: int,
        settle: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._app = app
        self._settle = settle
        self._unread_bytes_max = unread_bytes_max
        self._secret = secret.encode()
        self._log = log
        self._announced = announced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _SANE_ID.fullmatch(given) else str(uuid7()).encode()
        now = Exchange(
            request_id.decode(), headers.get(b"traceparent", b"").decode("latin-1"), _target(scope)
        )
        now.headers = headers
        exchange.enter(now)
        status = 0
        body = unread.Body(receive) if unread.is_expected(headers) else None

        async def wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                if body is not None:
                    await body.finish(self._unread_bytes_max)
                await self._settled(now)
                status = message["status"]
                total_ms = (time.perf_counter() - now.started) * 1e3
                timing = b"total;dur=%.2f, db;dur=%.2f" % (total_ms, now.database_s * 1e3)
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id),
                    (b"server-timing", timing),
                    *([(b"link", now.links.encode())] if now.links else ()),
                ]
            await send(message)

        if self._trusts(scope, headers):
            await self._app(scope, body or receive, wrapped)
        else:
            await _refuse(scope, headers, wrapped)
        if now.announced:
            self._announced()
        if self._log and not now.is_routine and scope["path"] not in _OPEN:
            _log_line(scope, headers, now, status)

    async def _settled(self, now: Exchange) -> None:
        if now.is_unsettled and self._settle is not None:
            # what was announced does not wait for the answer
            self._announced()
            await self._settle()

    def _trusts(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        if hmac.compare_digest(headers.get(b"x-fleet-secret", b""), self._secret):
            return True
        if scope["path"].startswith(_FLEETS_OWN):
            return False
        return not any(name.startswith(_GUARDED) for name in headers)


async def _refuse(scope: Scope, headers: dict[bytes, bytes], send: Send) -> None:
    accept = headers.get(b"accept", b"").decode("latin-1")
    content, media_type = errors.body(
        401, "UNAUTHENTICATED", "Say who you are.", [], path=scope["path"], accept=accept
    )
    start_headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"www-authenticate", b"Bearer"),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": start_headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})


def _target(scope: HTTPScope) -> str:
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"


def _ms(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1e3:.2f}"


def _log_line(scope: HTTPScope, headers: dict[bytes, bytes], now: Exchange, status: int) -> None:
    telemetry.write_line(
        {
            "at": datetime.now(UTC),
            "event": "request",
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": float(_ms(now.started)),
            "dbMs": round(now.database_s * 1e3, 2),
            "user": headers.get(b"x-user-id", b"").decode("latin-1"),
            "requestId": now.request_id,
            "traceId": now.trace_id,
        }
    )
