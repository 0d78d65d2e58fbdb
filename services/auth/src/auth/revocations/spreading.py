"""Sessions that are over, until the last of their access tokens would be: told to the gateways.

A gateway asks all the time, says what it has, and is answered when there is news. So this process
knows which gateways there are, and when the last of them has heard that a session is over.
"""

import asyncio
import time
from contextlib import suppress

import msgspec
import structlog
from litestar import Litestar

from auth.revocations import repository
from auth.revocations.types import Version, discovery
from auth.settings import Settings
from common.database import Database
from common.errors import UnavailableError

log = structlog.get_logger()


class _Gateway(msgspec.Struct, frozen=True):
    """One that asked: what it has was read at this moment of the database's clock, or later."""

    has_read_at: int
    heard_at: float


class _Listed(msgspec.Struct, frozen=True):
    """The list as it was when it was read last, and as it is sent."""

    mark: str
    body: bytes
    read_at: int
    looked_at: float


class Revocations:
    """Answers the gateways, and waits for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._db: Database | None = None
        self._listed: _Listed | None = None
        self._looking = asyncio.Lock()
        self._changed = asyncio.Event()
        self._changed_at = 0.0
        self._gateways: dict[str, _Gateway] = {}
        self._heard = asyncio.Condition()
        self._opened_at = 0.0

    async def open(self, app: Litestar) -> None:
        """Begin with the service; the first question reads the list."""
        self._db = app.state.db
        self._opened_at = time.monotonic()

    async def close(self) -> None:
        """Forget the list."""
        self._listed = None

    async def tell(self, gateway: str, version_info: str) -> bytes | None:
        """Return the list; ``None`` where the gateway has it and there was no other for a while.

        Raises ``UnavailableError`` where there is none.
        """
        has = Version.parse(version_info)
        listed = await self._lately()
        if has.mark != listed.mark:
            await self._hear(gateway, has.read_at)
            return listed.body
        await self._hear(gateway, listed.read_at)
        listed = await self._news(listed)
        return None if has.mark == listed.mark else listed.body

    async def _news(self, listed: _Listed) -> _Listed:
        """Wait for another list; not just after one, when all processes want to be asked soon."""
        mark, hold_s = listed.mark, self._settings.revocations_hold_s
        if time.monotonic() - self._changed_at < hold_s:
            return listed
        until = time.monotonic() + hold_s
        while listed.mark == mark and (left_s := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, self._settings.revocations_cached_s)):
                    await self._changed.wait()
            listed = await self._lately()
        return listed

    async def _lately(self) -> _Listed:
        """Return the list as it was not long ago; while the database is away, as it was then."""
        try:
            return await self._look(time.monotonic() - self._settings.revocations_cached_s)
        except UnavailableError:
            if self._listed is None:
                raise
            return self._listed

    async def spread(self) -> None:
        """Wait, not for ever, until every gateway refuses the sessions that are over by now."""
        behind: list[str] = []
        try:
            async with asyncio.timeout(self._settings.revocation_spread_s_max):
                await asyncio.sleep(self._unsure_s())
                read_at = (await self._look(time.monotonic())).read_at
                async with self._heard:
                    while behind := self._behind(read_at):
                        await self._heard.wait()
        except (TimeoutError, UnavailableError) as exc:
            log.warning("revocation_spreads_slowly", gateways=behind, error=repr(exc))

    def _unsure_s(self) -> float:
        """For how long yet a gateway may be there that has not been heard: this has just begun."""
        settings = self._settings
        sure_at = self._opened_at + settings.gateway_silent_s
        return min(sure_at - time.monotonic(), settings.revocation_spread_s_max / 2)

    def _behind(self, read_at: int) -> list[str]:
        now, silent_s = time.monotonic(), self._settings.gateway_silent_s
        return [
            name
            for name, gateway in self._gateways.items()
            if gateway.has_read_at < read_at and now - gateway.heard_at < silent_s
        ]

    async def _hear(self, name: str, has_read_at: int) -> None:
        now, silent_s = time.monotonic(), self._settings.gateway_silent_s
        self._gateways[name] = _Gateway(has_read_at, now)
        for other, gateway in tuple(self._gateways.items()):
            if now - gateway.heard_at >= silent_s:
                del self._gateways[other]
        async with self._heard:
            self._heard.notify_all()

    async def _look(self, since: float) -> _Listed:
        """Read the list, unless it was read after ``since`` (of the monotonic clock)."""
        async with self._looking:
            listed = self._listed
            if listed is not None and listed.looked_at >= since:
                return listed
            if self._db is None:
                raise RuntimeError("The list was not opened.")
            settings, looked_at = self._settings, time.monotonic()
            kept_s = settings.access_lifetime_s + settings.clocks_differ_s
            known = listed.mark if listed else ""
            reading = await repository.read(self._db, kept_s, known)
            if listed is not None and reading.session_ids is None:
                body = listed.body
            else:
                version = Version(reading.read_at, reading.mark)
                body = discovery(version, reading.session_ids or [])
                self._changed_at = looked_at
                self._changed.set()
                self._changed = asyncio.Event()
            self._listed = _Listed(reading.mark, body, reading.read_at, looked_at)
            return self._listed
