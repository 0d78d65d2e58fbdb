"""Small servers in the services' places: they tell what reached them.

``python standins.py <JSON: {"ports": {cluster: port}, "jwks": path, "secret": word}>``
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from auth.revocations.types import Version, discovery

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[Mapping[str, Any]], Awaitable[None]]
type Pairs = list[tuple[str, str]]

KEYS: dict[str, tuple[int, Pairs]] = {
    "wl_good_key": (
        200,
        [
            ("x-user-id", "0190a000-0000-7000-8000-00000000000a"),
            ("x-auth-role", "user"),
            ("x-auth-method", "api_key"),
            ("x-auth-scopes", "projects:read builds:write"),
            ("x-auth-project", "0190a000-0000-7000-8000-00000000000b"),
            ("x-not-for-services", "1"),
        ],
    ),
    "wl_nobody": (200, []),
    "wl_denied": (403, [("content-type", "application/json")]),
}
REFUSED = (401, [("content-type", "application/json"), ("www-authenticate", "Bearer")])


class Plan(msgspec.Struct, frozen=True):
    """What to serve."""

    ports: dict[str, int]
    jwks: str
    secret: str


class StandIn:
    """One cluster's server."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        self.plan = plan
        self.jwks = Path(plan.jwks).read_bytes()
        self.seen_last: dict[str, Any] = {}
        self.over: list[str] = []
        self.is_list_away = False
        self.askers: list[str] = []
        self._special = {
            "/internal/authz": self._authorize,
            "/v3/discovery:extension_configs": self._discover,
            "/standin/sessions": self._end,
        }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request or hold one socket."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            seen = await self._seen(scope, receive)
            await self._answer(seen, send)

    async def _seen(self, scope: dict[str, Any], receive: Receive) -> dict[str, Any]:
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
        return self._told(scope) | {"bodyBytes": size}

    def _told(self, scope: dict[str, Any]) -> dict[str, Any]:
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]]
        return {
            "cluster": self.name,
            "method": scope.get("method", "GET"),
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "headers": headers,
        }

    async def _answer(self, seen: dict[str, Any], send: Send) -> None:
        path, headers = seen["path"], dict(seen["headers"])
        if path == "/health/ready":
            await respond(send, 200, [], {"status": "ready"})
        elif path == "/.well-known/jwks.json":
            body = msgspec.Raw(self.jwks)
            await respond(send, 200, [("x-cluster", self.name)], body)
        elif path in self._special:
            await self._special[path](seen, headers, send)
        elif path.startswith("/internal/objects/"):
            await self._permit(seen, headers, send)
        elif path.endswith("/standin/asked"):
            await respond(send, 200, [], self.seen_last)
        elif path.endswith("/logs"):
            await self._stream(seen, send)
        else:
            await self._tell(seen, send)

    async def _tell(self, seen: dict[str, Any], send: Send) -> None:
        wishes = {name: values[0] for name, values in parse_qs(seen["query"]).items()}
        await asyncio.sleep(float(wishes.get("sleep", "0")))
        headers = [("x-cluster", self.name), ("server", "standin"), ("x-powered-by", "standin")]
        headers += [(name[2:], value) for name, value in wishes.items() if name.startswith("h-")]
        padding = {"padding": "x" * int(wishes.get("pad", "0"))}
        await respond(send, int(wishes.get("status", "200")), headers, seen | padding)

    async def _authorize(self, seen: dict[str, Any], headers: dict[str, str], send: Send) -> None:
        if headers.get("x-fleet-secret") != self.plan.secret:
            await respond(send, 500, [], {"reason": "no fleet secret"})
            return
        self.seen_last = seen
        status, answer = KEYS.get(headers.get("x-api-key", ""), REFUSED)
        code = {401: "UNAUTHENTICATED", 403: "FORBIDDEN"}.get(status, "")
        error = {"code": code, "message": "auth says so", "details": [], "requestId": "r"}
        await respond(send, status, answer, {"success": False, "error": error})

    async def _permit(self, seen: dict[str, Any], headers: dict[str, str], send: Send) -> None:
        """Say of a presigned URL what its grant wishes."""
        self.seen_last = seen
        wish = parse_qs(seen["query"]).get("x-grant", ["403"])[0]
        status = int(wish) if headers.get("x-fleet-secret") == self.plan.secret else 500
        error = {
            "code": "FORBIDDEN",
            "message": f"{self.name} says so",
            "details": [],
            "requestId": headers.get("x-request-id", ""),
        }
        await respond(send, status, [("x-user-id", "a")], {"success": False, "error": error})

    async def _discover(self, _: dict[str, Any], headers: dict[str, str], send: Send) -> None:
        """Say which sessions are over, in auth's own words."""
        if headers.get("x-fleet-secret") != self.plan.secret:
            await respond(send, 500, [], {"reason": "no fleet secret"})
            return
        self.askers.append(headers.get("x-internal-caller", ""))
        if self.is_list_away:
            await respond(send, 503, [], {})
        else:
            version = Version(len(self.over), "over")
            await respond(send, 200, [], msgspec.Raw(discovery(version, self.over)))

    async def _end(self, seen: dict[str, Any], _: dict[str, str], send: Send) -> None:
        """Let a session be over, or the list be away; tell who asked for it since the last time."""
        wishes = parse_qs(seen["query"])
        self.over += wishes.get("over", [])
        self.is_list_away = "away" in wishes
        askers, self.askers = self.askers, []
        await respond(send, 200, [], askers)

    async def _stream(self, seen: dict[str, Any], send: Send) -> None:
        silence = float(parse_qs(seen["query"]).get("silence", ["0"])[0])
        headers = [(b"content-type", b"text/event-stream"), (b"x-cluster", self.name.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for text in ("first", "second"):
            body = f"data: {text}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(silence)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _socket(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        told = msgspec.json.encode(self._told(scope)).decode()
        await send({"type": "websocket.send", "text": told})
        while (message := await receive())["type"] == "websocket.receive":
            size = len(message.get("bytes") or b"")
            await send({"type": "websocket.send", "text": str(size)})


async def respond(send: Send, status: int, headers: Pairs, body: object) -> None:
    """Send a whole JSON answer."""
    given = dict(headers)
    content = msgspec.json.encode(body)
    given.setdefault("content-type", "application/json")
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    raw.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content, "more_body": False})


async def main() -> None:
    """Serve every cluster until the process is told to go."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    servers = [
        Server(
            StandIn(name, plan),
            address="127.0.0.1",
            port=port,
            interface=Interfaces.ASGI,
            log_enabled=False,
        )
        for name, port in plan.ports.items()
    ]
    await asyncio.gather(*[server.serve() for server in servers])


if __name__ == "__main__":
    asyncio.run(main())
