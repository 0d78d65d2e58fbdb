"""What is over is deleted, a little at a time."""

import structlog

from auth.settings import Settings
from auth.sweeping import repository
from common.database import Database

log = structlog.get_logger()


async def sweep(db: Database, settings: Settings) -> dict[str, int]:
    """Delete whatever is over; return how many rows of each table. Raises ``UnavailableError``."""
    swept = {table: await _swept(db, settings, table) for table in repository.TABLES}
    if any(swept.values()):
        log.info("swept", **swept)
    return swept


async def _swept(db: Database, settings: Settings, table: str) -> int:
    total, most = 0, settings.sweep_rows_max
    while True:
        some = await repository.sweep(
            db,
            table,
            rows_max=most,
            sessions_kept_s=settings.sessions_kept_s,
            over_kept_s=settings.over_kept_s,
            failures_kept_s=settings.login_failures_window_s,
        )
        total += some
        if some < most:
            return total
