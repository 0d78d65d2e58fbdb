"""The ways to the services, as the gateway would go them."""

import random
import time
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import msgspec
from services.collab.tests.conftest import Auth
from websockets.asyncio.client import ClientConnection, connect

from common.testing.apps import identity
from fleet.ports import LOOPBACK
from tests.trials.stage import Stage

# nobody listened: then nobody has done it, surely
UNREACHED = "ConnectError"
_TIMEOUT_S = 20.0
_FRAME_BYTES_MAX = 1 << 24
_REFUSED, _BROKEN = 400, 500


class Reply(msgspec.Struct, frozen=True):
    """An answer, or that there was none (status 0)."""

    status: int
    data: Any
    tag: str
    code: str
    text: str

    @property
    def is_done(self) -> bool:
        """Whether it was done, surely."""
        return 0 < self.status < _REFUSED

    @property
    def is_refused(self) -> bool:
        """Whether it was not done, surely."""
        return _REFUSED <= self.status < _BROKEN


class Desk:
    """Who asks, and how; requests that fail while everything is up are faults."""

    def __init__(self, stage: Stage, auth: Auth) -> None:
        self.stage = stage
        self._auth = auth
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
        self._client = httpx.AsyncClient(
            base_url=stage.projects.url, timeout=_TIMEOUT_S, limits=limits, trust_env=False
        )

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def ask(
        self, user: UUID, method: str, path: str, *, sends: object = None, **headers: str
    ) -> Reply:
        """Ask once."""
        given = identity(self.stage.secret, user, **headers)
        try:
            answer = await self._client.request(method, f"/api/v1{path}", headers=given, json=sends)
        except httpx.TransportError as exc:
            return Reply(0, None, "", type(exc).__name__, "")
        body: dict[str, Any] = {}
        if "json" in answer.headers.get("content-type", ""):
            body = msgspec.json.decode(answer.content)
        error = body.get("error") or {}
        tag = answer.headers.get("etag", "").strip('"')
        code = error.get("code", "")
        return Reply(answer.status_code, body.get("data"), tag, code, answer.text)

    async def sure(self, user: UUID, method: str, path: str, *, sends: object = None) -> Any:
        """Ask until it is done; return what was answered."""
        give_up_at = time.monotonic() + 3 * _TIMEOUT_S
        while True:
            reply = await self.ask(user, method, path, sends=sends)
            if reply.is_done:
                return reply.data
            if reply.is_refused or time.monotonic() > give_up_at:
                raise AssertionError(f"{method} {path}: {reply.status} {reply.text}")
            await self.stage.breathe()

    def connector(self, project: UUID, dice: random.Random) -> Any:
        """Return what opens a document's socket in one of collab's processes."""

        async def opened(user: UUID, path: str) -> ClientConnection:
            port = dice.choice(self.stage.collabs).socket_port
            address = f"ws://{LOOPBACK}:{port}/collab/v1/documents/{project}/{quote(path)}"
            if dice.random() < 1 / 2:
                address += f"?ticket={self._auth.ticket(user)}"
            else:
                address += f"?access_token={self._auth.token(user)}"
            return await connect(
                address,
                additional_headers={"x-fleet-secret": self.stage.secret},
                proxy=None,
                max_size=_FRAME_BYTES_MAX,
                ping_interval=None,
                compression=None,
            )

        return opened
