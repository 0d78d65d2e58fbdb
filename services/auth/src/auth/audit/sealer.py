"""The sealer: moves notes into the ledger, for as long as the service runs."""

import asyncio

import structlog
from litestar import Litestar

from auth.audit import service
from auth.settings import Settings
from common.database import Database

log = structlog.get_logger()


class Sealer:
    """Seals whatever was noted; what fails is tried again at the next turn."""

    def __init__(self, settings: Settings) -> None:
        self._every_s = settings.audit_seal_every_s
        self._most = settings.audit_seal_max
        self._task: asyncio.Task[None] | None = None

    async def open(self, app: Litestar) -> None:
        """Start."""
        self._task = asyncio.get_running_loop().create_task(self._run(app.state.db))

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, db: Database) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                while await service.seal(db, self._most) == self._most:
                    pass
            except Exception as exc:  # noqa: BLE001 - whatever it is, the next turn is due
                log.warning("audit_waits", error=repr(exc))
