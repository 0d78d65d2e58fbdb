"""A service's own commands, with its settings: ``python -m fleet.operate auth --help``."""

import subprocess
import sys

from fleet import plan, secrets, services, settings
from fleet.context import PYTHON, Context
from fleet.home import find
from fleet.ports import kept
from fleet.secrets import SERVICES


def main() -> int:
    """Run the command that the arguments name; the stores must be running."""
    match sys.argv[1:]:
        case [name, *arguments] if name in SERVICES:
            command = (PYTHON, "-m", name, *arguments)
            environment = services.environment(_context(), name)
            return subprocess.run(command, env=environment, check=False).returncode
        case _:
            sys.exit(__doc__)


def _context() -> Context:
    given = settings.read()
    home = find(given)
    return plan.context(home, kept(home.ports), secrets.read(home.secrets), given)


if __name__ == "__main__":
    sys.exit(main())
