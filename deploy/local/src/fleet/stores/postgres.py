"""PostgreSQL: a private cluster, durable, that listens on loopback alone."""

import os
import pwd
import shutil
from pathlib import Path

from fleet.context import PYTHON, Context
from fleet.home import Home, HomeError
from fleet.ports import LOOPBACK
from fleet.processes import Probe, Process
from fleet.secrets import SERVICES

USER = "postgres"
DATABASE = "worldloom"
# where a root's cluster goes when its own user may not pass through the home's parents
ELSEWHERE = Path("/var/lib/worldloom")

# initdb fills a new directory that gets its name when it is whole: a start that was cut short
# leaves nothing that looks like a cluster
INITIALISE = """
set -eu
rm -rf "$2.new"
"$1/initdb" -D "$2.new" -U postgres -A scram-sha-256 --pwfile="$3" -E UTF8 \
  --locale=C.UTF-8 --data-checksums
mv "$2.new" "$2"
"""


def processes(context: Context) -> list[Process]:
    """Return the cluster, what makes it on the first start, and what makes roles and schemas."""
    folder = _prepared(context)
    data = folder / "data"
    first = [] if data.exists() else [_initialised(context, folder)]
    return [*first, _server(context, data, needs=tuple(p.name for p in first)), _roles(context)]


def url(context: Context, role: str, database: str = DATABASE) -> str:
    """Return the address of the database for one role."""
    password = context.secrets.postgres[role]
    return f"postgresql://{role}:{password}@{LOOPBACK}:{context.ports.postgres}/{database}"


def place(home: Home) -> Path:
    """Return the cluster's directory: in the home, or elsewhere when root cannot use that."""
    inside = home.data / "postgres"
    if os.geteuid() != 0 or _may_pass(home.data):
        return inside
    return ELSEWHERE / home.tag


def remove(home: Home) -> None:
    """Remove a cluster that lies outside of the home."""
    outside = ELSEWHERE / home.tag
    if outside.exists():
        shutil.rmtree(outside)


def _prepared(context: Context) -> Path:
    folder = place(context.home)
    folder.mkdir(parents=True, exist_ok=True)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(context.secrets.postgres[USER], encoding="utf-8")
    if os.geteuid() == 0:
        account = _account()
        for path in (folder, password):
            os.chown(path, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)
    return folder


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER)
    except KeyError as exc:
        raise HomeError(
            f"PostgreSQL refuses to run as root and there is no user {USER!r}: "
            "install the system package postgresql, or run the fleet as an ordinary user."
        ) from exc


def _may_pass(folder: Path) -> bool:
    # the database's user is nobody's group: the last digit of each parent decides
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))


def _as_user() -> str:
    return USER if os.geteuid() == 0 else ""


def _initialised(context: Context, folder: Path) -> Process:
    script = ("sh", "-c", INITIALISE, "initialise", str(context.programs.postgres_bin))
    return Process(
        name="postgres-init",
        command=(*script, str(folder / "data"), str(folder / "password")),
        environment=context.environment(HOME=str(folder), LANG="C.UTF-8"),
        once=True,
        user=_as_user(),
        start_timeout_s=60,
    )


def _server(context: Context, data: Path, needs: tuple[str, ...]) -> Process:
    program = context.programs.postgres_bin
    port = str(context.ports.postgres)
    options = {
        "listen_addresses": LOOPBACK,
        # no socket in the file system: its path may not be longer than 107 characters
        "unix_socket_directories": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": "128MB",
        "max_connections": "200",
        "max_wal_size": "1GB",
        "jit": "off",
        "log_line_prefix": "%m [%p] %q%u ",
        "log_min_duration_statement": "1000",
        "log_parameter_max_length": "0",
    }
    settings = tuple(word for key, value in options.items() for word in ("-c", f"{key}={value}"))
    return Process(
        name="postgres",
        command=(str(program / "postgres"), "-D", str(data), "-p", port, *settings),
        environment=context.environment(HOME=str(data), LANG="C.UTF-8"),
        needs=needs,
        probe=Probe(command=(str(program / "pg_isready"), "-q", "-h", LOOPBACK, "-p", port)),
        # a fast shutdown, which takes the server's own children with it
        death_signal="INT",
        stop_signal="INT",
        user=_as_user(),
        stop_timeout_s=20,
    )


def _roles(context: Context) -> Process:
    passwords = {f"{name.upper()}_PASSWORD": context.secrets.postgres[name] for name in SERVICES}
    return Process(
        name="postgres-roles",
        command=(PYTHON, "-m", "fleet.bootstrap", "postgres"),
        environment=context.environment(
            POSTGRES_ADMIN_URL=url(context, USER, database="postgres"),
            POSTGRES_DATABASE=DATABASE,
            **passwords,
        ),
        needs=("postgres",),
        once=True,
    )
