"""The Fastify peer: build it, give it a database of its own, and start it on either data layer."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey

from benchmarks.harness import database
from benchmarks.harness.contender import Contender
from benchmarks.harness.processes import StartError, answers, running
from benchmarks.harness.world import World
from common.ids import uuid7
from fleet.context import Context
from fleet.ports import LOOPBACK
from fleet.processes import Process
from fleet.stores import postgres

FOLDER = Path(__file__).resolve().parent.parent / "peer"
DATABASE = "peer"
LAYERS = ("prisma", "pg")
_BUILT_WITHIN_S = 300.0
_TOKEN_LIVES_S = 3600
# what the other services' roles have too
_ROLE_SETTINGS = ("statement_timeout = '5s'", "lock_timeout = '4s'", "synchronous_commit = on")


class PeerDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """The peers' one database, filled."""

    url: str
    admin_url: str
    project_ids: list[str]


def build(context: Context) -> None:
    """Install and compile the peer, where that was not done since its sources changed."""
    compiled = FOLDER / "dist" / "src" / "server.js"
    sources = [FOLDER / "package-lock.json", FOLDER / "tsconfig.json"]
    sources += [*FOLDER.glob("prisma/*"), *FOLDER.glob("src/**/*.ts")]
    if compiled.exists() and all(s.stat().st_mtime < compiled.stat().st_mtime for s in sources):
        return
    npm = shutil.which("npm", path=context.settings.path)
    if npm is None:
        raise StartError("npm is not installed: the peer needs Node 20 or later.")
    for arguments in (("ci", "--ignore-scripts"), ("run", "build")):
        ended = subprocess.run(
            (npm, *arguments),
            cwd=FOLDER,
            env=context.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_BUILT_WITHIN_S,
        )
        if ended.returncode:
            raise StartError(f"npm {' '.join(arguments)} failed:\n{ended.stdout}{ended.stderr}")


def prepare(context: Context, world: World) -> PeerDatabase:
    """Make the peers' role, database and tables, and fill them."""
    password = secrets.token_hex(16)
    admin = postgres.url(context, postgres.USER, database="postgres")
    made = PeerDatabase(
        url=f"postgresql://{DATABASE}:{password}@{LOOPBACK}:{context.ports.postgres}/{DATABASE}",
        admin_url=postgres.url(context, postgres.USER, database=DATABASE),
        project_ids=[str(uuid7()) for _ in world.projects],
    )
    database.execute(
        admin,
        f"CREATE ROLE {DATABASE} LOGIN PASSWORD '{password}'",
        *(f"ALTER ROLE {DATABASE} SET {setting}" for setting in _ROLE_SETTINGS),
        f"CREATE DATABASE {DATABASE} OWNER {DATABASE}",
    )
    database.execute(made.url, (FOLDER / "schema.sql").read_text(encoding="utf-8"))
    database.fill(made.url, "public", _tables(world, made.project_ids))
    return made


def _tables(
    world: World, ids: list[str]
) -> dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    users = [
        (user, f"user{number}@worldloom.example", f"user{number}")
        for number, user in enumerate(world.users)
    ]
    projects, members, files = [], [], []
    for number, project in enumerate(world.projects):
        owner = world.users[project.owner]
        settings = msgspec.json.encode(project.settings).decode()
        projects.append((ids[number], owner, project.name, project.description, settings))
        members.append((ids[number], owner, "owner"))
        members.append((ids[number], world.users[project.editor], "editor"))
        files += [
            (ids[number], file.path, file.content, len(file.content.encode()), file.hash, owner)
            for file in project.files
        ]
    return {
        "users": (("id", "email", "username"), users),
        "projects": (("id", "user_id", "name", "description", "settings"), projects),
        "collaborators": (("project_id", "user_id", "role"), members),
        "project_files": (("project_id", "path", "content", "size", "hash", "updated_by"), files),
    }


@contextmanager
def peer(
    context: Context, filled: PeerDatabase, layer: str, port: int, *, log_requests: bool
) -> Iterator[Contender]:
    """Run one peer."""
    secret = secrets.token_hex(32)
    node = shutil.which("node", path=context.settings.path)
    if node is None:
        raise StartError("node is not installed: the peer needs Node 20 or later.")
    process = Process(
        name=f"fastify-{layer}",
        command=(node, str(FOLDER / "dist" / "src" / "server.js")),
        environment=context.environment(
            NODE_ENV="production",
            DATA_LAYER=layer,
            DATABASE_URL=filled.url,
            JWT_SECRET=secret,
            HOST=LOOPBACK,
            PORT=str(port),
            ACCESS_LOG=str(log_requests).lower(),
        ),
    )
    url = f"http://{LOOPBACK}:{port}"
    log = context.home.log(process.name)
    with running(process, log, FOLDER) as child:
        answers(child, url, log)
        yield Contender(
            name=process.name,
            url=url,
            pids=(child.pid,),
            identify=lambda user: {"authorization": f"Bearer {_token(secret, user)}"},
            project_ids=filled.project_ids,
            database_url=filled.admin_url,
            outbox="outbox",
        )


def _token(secret: str, user: UUID) -> str:
    now = int(time.time())
    claims = {
        "iss": "worldloom",
        "aud": "worldloom",
        "sub": str(user),
        "sid": str(uuid7()),
        "role": "user",
        "iat": now,
        "exp": now + _TOKEN_LIVES_S,
    }
    return jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, OctKey.import_key(secret))
