"""Sessions that are over, until the last of their access tokens would be: told to the gateways.

A gateway asks all the time, and says what it has. So this process knows which gateways there are,
and when the last of them has heard that a session is over.
"""

import asyncio
import time

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
        """Return the list; ``None`` where the gateway has it. Raises ``UnavailableError``.

        While the database is away the list is what it was.
        """
        has = Version.parse(version_info)
        try:
            listed = await self._look(time.monotonic() - self._settings.revocations_cached_s)
        except UnavailableError:
            if self._listed is None:
                raise
            listed = self._listed
        is_known = has.mark == listed.mark
        await self._hear(gateway, listed.read_at if is_known else has.read_at)
        return None if is_known else listed.body

    async def spread(self) -> None:
        """Wait, not for ever, until every gateway refuses the sessions that are over by now."""
        behind: list[str] = []
        try:
            async with asyncio.timeout(self._settings.revocation_spread_s_max):
                # who has just begun may not have heard yet of a gateway that is there
                silent_s = self._settings.gateway_silent_s
                await asyncio.sleep(self._opened_at + silent_s - time.monotonic())
                read_at = (await self._look(time.monotonic())).read_at
                async with self._heard:
                    while behind := self._behind(read_at):
                        await self._heard.wait()
        except (TimeoutError, UnavailableError) as exc:
            log.warning("revocation_spreads_slowly", gateways=behind, error=repr(exc))

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
            self._listed = _Listed(reading.mark, body, reading.read_at, looked_at)
            return self._listed
