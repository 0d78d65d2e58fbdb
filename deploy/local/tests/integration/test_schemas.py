"""Each service's migrations make the tables that its code describes, no more and no less."""

import subprocess
from collections.abc import Callable

import pytest

from fleet.context import PYTHON
from fleet.secrets import SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_the_migrations_and_the_tables_agree(
    service_env: Callable[[str], dict[str, str]], name: str
) -> None:
    command = (PYTHON, "-m", "common.migrate", "check", name)
    found = subprocess.run(
        command, env=service_env(name), capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
