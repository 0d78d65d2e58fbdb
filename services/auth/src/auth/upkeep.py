"""What the service does by itself every now and then, in whichever replica comes first."""

import asyncio
import random

import structlog
from litestar import Litestar

from auth.keys import service as keys
from auth.secrets import Vault
from auth.settings import Settings
from auth.sweeping import service as sweeping
from common.database import Database

log = structlog.get_logger()


class Upkeep:
    """Does its chores again and again; one that fails is tried again at the next turn."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._running: asyncio.Task[None] | None = None

    async def open(self, app: Litestar) -> None:
        """Begin, beside what the service answers."""
        self._running = asyncio.create_task(self._run(app.state.db))

    async def close(self) -> None:
        """Leave off, wherever it is: each chore can be broken off and begun again."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _run(self, db: Database) -> None:
        every_s = self._settings.upkeep_every_s
        while True:
            # replicas that started together do not go on together
            await asyncio.sleep(every_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            for chore in (self._keys, self._rows):
                try:
                    await chore(db)
                except Exception as exc:  # noqa: BLE001 - the others are done whatever it is
                    log.warning("upkeep_failed", chore=chore.__name__, error=repr(exc))

    async def _keys(self, db: Database) -> None:
        await keys.tend(db, self._vault, self._settings)

    async def _rows(self, db: Database) -> None:
        await sweeping.sweep(db, self._settings)
