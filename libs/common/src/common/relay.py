"""The outbox's way to JetStream: at least once, in order for each key, never skipping.

One relay of a service works at a time; an advisory lock on its own connection says which.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog
from nats.js import JetStreamContext

from common.bus import Bus
from common.contracts.base import CloudEvent
from common.forever import forever

log = structlog.get_logger()

_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '.outbox', 0))"
_WAITING = """
    SELECT position, id, subject, key, data::text, request_id, traceparent, occurred_at
    FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT $1
    FOR UPDATE SKIP LOCKED
"""
_PUBLISHED = "UPDATE outbox SET published_at = now() WHERE position = ANY($1::bigint[])"
_EXPIRED = (
    "DELETE FROM outbox WHERE published_at < now() - make_interval(days => $1)",
    # the stream keeps no event for longer, so none comes again after that
    "DELETE FROM inbox WHERE seen_at < now() - make_interval(days => $1)",
)
_BATCH = 256
_CLEAN_EVERY_S = 3600.0
_BACK_OFF_S = 1.0


class Waiting(msgspec.Struct, frozen=True):
    """A row of the outbox that is to be published."""

    position: int
    id: UUID
    subject: str
    key: str
    data: str
    request_id: str
    traceparent: str
    occurred_at: datetime

    def encoded(self, source: str) -> bytes:
        """The event as subscribers receive it."""
        event = CloudEvent(
            id=self.id,
            source=f"/{source}",
            type=self.subject,
            subject=self.key,
            time=self.occurred_at,
            data=msgspec.Raw(self.data.encode()),
            requestid=self.request_id,
            traceparent=self.traceparent,
        )
        return msgspec.json.encode(event)


class Relay:
    """Publishes one service's outbox until it is stopped."""

    def __init__(self, name: str, url: str, bus: Bus, *, poll_s: float, kept_days: int) -> None:
        self._name = name
        self._url = url
        self._bus = bus
        self._poll_s = poll_s
        self._kept_days = kept_days
        self._wake = asyncio.Event()
        # the clock begins with the machine: nothing was ever cleaned, however young that is
        self._cleaned = float("-inf")

    def wake(self) -> None:
        """Say that something was announced just now."""
        self._wake.set()

    async def run(self) -> None:
        """Relay for ever; whatever fails is tried again."""
        await forever("relay", self._connected, pause_s=_BACK_OFF_S)

    async def _connected(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=_BACK_OFF_S)
        try:
            if not await connection.fetchval(_LOCK):
                return  # another relay of this service works; ask again after the back-off
            while True:
                if await self._batch(connection) < _BATCH:
                    await self._rest(connection)
        finally:
            await connection.close(timeout=_BACK_OFF_S)

    async def _rest(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._cleaned > _CLEAN_EVERY_S:
            for statement in _EXPIRED:
                await connection.execute(statement, self._kept_days)
            self._cleaned = now
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._poll_s)
        self._wake.clear()

    async def _batch(self, connection: asyncpg.Connection) -> int:
        stream = self._bus.stream
        if stream is None:
            return 0
        async with connection.transaction():
            rows = [Waiting(*r) for r in await connection.fetch(_WAITING, _BATCH)]
            if not rows:
                return 0
            by_key: dict[str, list[Waiting]] = defaultdict(list)
            for row in rows:
                by_key[row.key].append(row)
            sent = await asyncio.gather(*[self._in_order(stream, part) for part in by_key.values()])
            done = [position for part in sent for position in part]
            await connection.execute(_PUBLISHED, done)
        if len(done) < len(rows):
            await asyncio.sleep(_BACK_OFF_S)
        return len(done)

    async def _in_order(self, stream: JetStreamContext, rows: list[Waiting]) -> list[int]:
        """Publish one key's events until one is not acknowledged; return what was."""
        done: list[int] = []
        for row in rows:
            headers: dict[str, Any] = {"Nats-Msg-Id": str(row.id)}
            if row.traceparent:
                headers["traceparent"] = row.traceparent
            try:
                await stream.publish(row.subject, row.encoded(self._name), headers=headers)
            except Exception as exc:  # noqa: BLE001 - whatever it is, the event stays in the outbox
                log.warning("relay_publish_failed", subject=row.subject, error=repr(exc))
                break
            done.append(row.position)
        return done
