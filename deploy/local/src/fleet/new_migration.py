"""Writing a service's next migration: a developer's act, so it is not in the images.

``python -m fleet.new_migration projects "what"``, with the service's ``DATABASE_URL``.
"""

import sys
from pathlib import Path

from alembic import command

from common.migrate import config

_TEMPLATE = '''"""${message}."""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """There is no way back but a backup and a new migration."""
    raise RuntimeError("Migrations go forward only.")
'''


def new(service: str, message: str) -> None:
    """Write the next migration from the difference between tables and schema; read it then."""
    made = config(service)
    folder = Path(made.get_main_option("script_location") or "")
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    template = folder / "script.py.mako"
    template.write_text(_TEMPLATE, encoding="utf-8")
    number = len(list((folder / "versions").glob("[0-9]*.py"))) + 1
    try:
        command.revision(made, message, autogenerate=True, rev_id=f"{number:04d}")
    finally:
        template.unlink()


def main() -> None:
    """Write the migration that the arguments name."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - the program, the service, what it does
        sys.exit(__doc__)
    new(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    main()
