"""Migrations against the local database, each service's with its own role.

``python -m fleet.migrations upgrade [service]``, or ``new <service> "what"``.
"""

import subprocess
import sys

from fleet import plan, secrets, services, settings
from fleet.context import PYTHON, Context
from fleet.home import find
from fleet.ports import kept
from fleet.secrets import SERVICES


def main() -> int:
    """Do what the arguments say; the database must be running."""
    match sys.argv[1:]:
        case ["upgrade"]:
            return max(_migrate("upgrade", name) for name in SERVICES)
        case ["upgrade", name] if name in SERVICES:
            return _migrate("upgrade", name)
        case ["new", name, what] if name in SERVICES:
            return _run("fleet.new_migration", name, name, what)
        case _:
            sys.exit(__doc__)


def _migrate(action: str, name: str) -> int:
    return _run("common.migrate", name, action, name)


def _run(module: str, name: str, *arguments: str) -> int:
    environment = services.environment(_context(), name)
    command = (PYTHON, "-m", module, *arguments)
    return subprocess.run(command, env=environment, check=False).returncode


def _context() -> Context:
    given = settings.read()
    home = find(given)
    return plan.context(home, kept(home.ports), secrets.ensure(home.secrets), given)


if __name__ == "__main__":
    sys.exit(main())
