"""Requests that are repeated until they are answered, as a patient editor does."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import msgspec

from common.ids import uuid7
from common.testing.apps import identity
from tests.faults.stage import Service

type Look = Callable[[], Awaitable[None]]

_TIMEOUT_S = 15.0
_PAUSE_S = 0.05
_UNAVAILABLE = frozenset({503, 504})
_BUSY = frozenset({"IDEMPOTENCY_KEY_IN_USE", "CONFLICT"})
_BROKEN = 500
_BROKEN_MAX = 20


class Reply(msgspec.Struct, frozen=True):
    """An answer; ``lost`` says how many tries before it got none, and may have done it all."""

    status: int
    data: Any
    code: str
    headers: httpx.Headers
    lost: int


class Tally:
    """What is counted while it runs, and what should not have been."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def fault(self, kind: str, text: str) -> None:
        """Note what must not be."""
        self.counts[kind] += 1
        self.faults.append(f"{kind}: {text}")


class Door:
    """The way to the service for one user."""

    def __init__(self, service: Service, tally: Tally, user: UUID, dice: random.Random) -> None:
        self.user = user
        self.tally = tally
        self._service = service
        self._dice = dice
        self._client = httpx.AsyncClient(base_url=service.url, timeout=_TIMEOUT_S)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    def key(self) -> str:
        """Return a new Idempotency-Key."""
        return str(uuid7())

    async def ask(
        self,
        method: str,
        path: str,
        *,
        sends: object = None,
        data: bytes | None = None,
        look: Look | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Ask until there is an answer; where one was lost, ``look`` before asking again."""
        given = identity(self._service.secret, self.user) | (headers or {})
        lost = broken = 0
        while True:
            await self._service.is_ready.wait()
            try:
                answer = await self._client.request(
                    method, path, headers=given, json=sends, content=data
                )
            except httpx.TransportError:
                lost += 1
                self.tally.counts["unanswered"] += 1
                await self._pause()
                if look is not None and self._dice.random() < 1 / 2:
                    await look()
                continue
            reply = _reply(answer, lost)
            if reply.status in _UNAVAILABLE:
                # what became of it nobody knows
                lost += 1
                self.tally.counts["unavailable"] += 1
            elif reply.status >= _BROKEN:
                self.tally.fault("broken answers", f"{method} {path}: {answer.text[:300]}")
                lost, broken = lost + 1, broken + 1
                if broken == _BROKEN_MAX:
                    return reply
            elif reply.code not in _BUSY:
                return reply
            await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(self._dice.uniform(0, 2 * _PAUSE_S))


def _reply(answer: httpx.Response, lost: int) -> Reply:
    body: dict[str, Any] = {}
    if "json" in answer.headers.get("content-type", ""):
        body = msgspec.json.decode(answer.content)
    code = (body.get("error") or {}).get("code", "")
    data = body.get("data") if "success" in body else body or answer.content
    return Reply(answer.status_code, data, code, answer.headers, lost)
