"""Publishes the templates of a folder; what is published just so already is left alone.

``python -m registry.seed [folder]``; without a folder, that of ``EXAMPLES_DIR``.
"""

import asyncio
import sys
from pathlib import Path

import structlog

from common import telemetry
from common.database import Database
from common.settings import SettingsError, load
from registry.settings import Settings
from registry.templates import service
from registry.templates.folder import FolderError, bundles

log = structlog.get_logger()


async def seed(settings: Settings, root: Path) -> list[str]:
    """Publish each template below ``root``; return the slugs of those that changed.

    Raises ``FolderError``, before anything is written.
    """
    found = bundles(root, settings)
    db = await Database.connect(
        settings.database_url,
        pool_size=1,
        wait_s=settings.pool_wait_s,
        statement_s_max=settings.statement_s_max,
    )
    try:
        return [b.manifest.id for b in found if await service.publish(db, b) is not None]
    finally:
        await db.close()


def main() -> None:
    """Do what the arguments and the environment say."""
    try:
        settings = load(Settings)
        folder = sys.argv[1] if len(sys.argv) > 1 else settings.examples_dir
        if not folder:
            sys.exit("Name a folder, or set EXAMPLES_DIR.")
        telemetry.configure("registry", settings.log_level)
        published = asyncio.run(seed(settings, Path(folder)))
    except (SettingsError, FolderError) as exc:
        sys.exit(str(exc))
    log.info("templates_seeded", published=published)


if __name__ == "__main__":
    main()
