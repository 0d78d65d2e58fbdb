"""The collab service with auth and projects beside it, as the fleet runs them."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

import httpx

from benchmarks.auth.people import anonymous
from benchmarks.collab import wire
from benchmarks.collab.contender import EDITORS, ROOMS, Contender, World
from benchmarks.collab.cores import Cores, pinned
from benchmarks.harness.ours import gateway_headers
from benchmarks.harness.processes import StartError, answers, running, tail
from common.ids import uuid7
from fleet import services
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process

NAME = "collab"
TWO_NODES = "collab, two nodes"
SCHEMAS = ("auth-schema", "collab-schema")
_TIMEOUT_S = 60.0
_AT_ONCE = 8
# tokens that last as long as the benchmark
_AUTH = {"ACCESS_LIFETIME_S": "7200"}


@contextmanager
def beside(context: Context) -> Iterator[None]:
    """Run auth and projects."""
    with ExitStack() as stack:
        for name, more in (("auth", _AUTH), ("projects", {})):
            command = (PYTHON, "-m", "common.serve", f"{name}.main:create_app")
            port = getattr(context.ports, name)
            stack.enter_context(_service(context, name, name, command, port, more))
        yield


@contextmanager
def collab(
    context: Context,
    cores: Cores,
    world: World,
    nodes: list[tuple[int, int]],
    projects: slice = slice(ROOMS),
) -> Iterator[Contender]:
    """Run the service: for each node its port and its sockets' port; all on one processor."""
    command = pinned(cores.server, PYTHON, "-m", "collab.main")
    with ExitStack() as stack:
        pids = tuple(
            stack.enter_context(
                _service(context, NAME, f"{NAME}-{port}", command, port, _node(port, sockets))
            )
            for port, sockets in nodes
        )
        yield Contender(
            name=NAME if len(nodes) == 1 else TWO_NODES,
            dialect=wire.collab(context.secrets.fleet_secret),
            ports=tuple(sockets for _, sockets in nodes),
            pids=pids,
            tokens=world.tokens,
            projects=world.projects[projects],
            tidy=lambda: None,
        )


def _node(port: int, sockets: int) -> dict[str, str]:
    # no human reaches the limit on one connection's frames; fifty who are to fill a processor do
    return {"PORT": str(port), "SOCKET_PORT": str(sockets), "FRAMES_PER_SECOND": "10000"}


@contextmanager
def _service(
    context: Context,
    name: str,
    title: str,
    command: tuple[str, ...],
    port: int,
    more: dict[str, str],
) -> Iterator[int]:
    process = Process(
        name=title,
        command=command,
        environment=services.environment(context, name) | {"ACCESS_LOG": "false"} | more,
    )
    log = context.home.log(f"{title}-measured")
    with running(process, log, context.home.repository) as child:
        answers(child, f"http://{LOOPBACK}:{port}/health/ready", log)
        yield child.pid


def populated(context: Context, rooms: int, paths: dict[str, str]) -> World:
    """Register editors, and make a project for each room, with the same files in each."""
    try:
        return asyncio.run(_populated(context, rooms, paths))
    except (httpx.HTTPError, KeyError) as exc:
        log = tail(context.home.log("projects-measured"))
        raise StartError(f"There can be no projects: {exc!r}\n{log}") from exc


async def _populated(context: Context, rooms: int, paths: dict[str, str]) -> World:
    secret = context.secrets.fleet_secret
    url = f"http://{LOOPBACK}:{context.ports.auth}/api/v1/auth"
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as auth:
        editors = [await _registered(auth, secret) for _ in range(EDITORS)]
    users = [user for user, _ in editors]
    url = f"http://{LOOPBACK}:{context.ports.projects}/api/v1/projects"
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as client:
        headers = gateway_headers(secret, UUID(users[0]))
        operations = [{"op": "create", "path": p, "content": c} for p, c in paths.items()]
        made = await _in_turns(
            [_project(client, headers, number, users, operations) for number in range(rooms)]
        )
    return World(tokens=[token for _, token in editors], users=users, projects=made)


async def _registered(client: httpx.AsyncClient, secret: str) -> tuple[str, str]:
    name = f"p{uuid7().hex[-20:]}"
    new = {"email": f"{name}@example.org", "username": name, "password": f"password of {name}"}
    answer = await client.post("/register", json=new, headers=anonymous(secret))
    data = answer.raise_for_status().json()["data"]
    return data["user"]["id"], data["accessToken"]


async def _project(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    number: int,
    users: list[str],
    operations: list[dict[str, str]],
) -> str:
    answer = await client.post("", json={"name": f"Game {number}"}, headers=headers)
    project = str(answer.raise_for_status().json()["data"]["id"])
    for user in users[1:]:
        guest = {"userId": user, "role": "editor"}
        answer = await client.post(f"/{project}/collaborators", json=guest, headers=headers)
        answer.raise_for_status()
    body = {"operations": operations}
    answer = await client.post(f"/{project}/files/batch", json=body, headers=headers)
    answer.raise_for_status()
    return project


async def _in_turns[T](work: list[Coroutine[Any, Any, T]]) -> list[T]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(what: Coroutine[Any, Any, T]) -> T:
        async with gate:
            return await what

    return await asyncio.gather(*(one(what) for what in work))
