"""Redis, for what is expensive to make: never the only copy, and missed only in time."""

import time

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

log = structlog.get_logger()

_TIMEOUT_S = 0.1
_REST_S = 2.0


class Cache:
    """One service's keys. After a failure it is left alone for a while, so that nothing waits."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._resting_until = 0.0
        self._client = (
            redis.Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
            if url
            else None
        )

    @property
    def _rests(self) -> bool:
        return self._client is None or time.monotonic() < self._resting_until

    async def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, if it is and Redis answers."""
        if self._client is None or self._rests:
            return None
        try:
            kept: bytes | None = await self._client.get(f"{self._name}:{key}")
        except (RedisError, OSError, TimeoutError) as exc:
            self._rest(exc)
            return None
        return kept

    async def put(self, key: str, value: bytes, *, kept_s: int) -> None:
        """Keep ``value`` under ``key`` for ``kept_s`` seconds, if Redis answers."""
        if self._client is None or self._rests:
            return
        try:
            await self._client.set(f"{self._name}:{key}", value, ex=kept_s)
        except (RedisError, OSError, TimeoutError) as exc:
            self._rest(exc)

    async def answers(self) -> bool:
        """Whether Redis can be reached now."""
        if self._client is None:
            return False
        try:
            await self._client.exists(f"{self._name}:health")
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    def _rest(self, exc: Exception) -> None:
        log.warning("cache_unavailable", error=repr(exc))
        self._resting_until = time.monotonic() + _REST_S

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
