"""The projects service, one process as it is deployed, filled through its own routes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import httpx
import msgspec

from benchmarks.harness import database
from benchmarks.harness.contender import Contender
from benchmarks.harness.processes import StartError, answers, running, tail
from benchmarks.harness.world import SeedProject, World
from common.ids import uuid7
from fleet import services
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process
from fleet.stores import postgres

NAME = "projects"
_NOWHERE = f"nats://{LOOPBACK}:9"
_SEED_TIMEOUT_S = 30.0


@contextmanager
def projects(
    context: Context, world: World, *, relay: bool, log_requests: bool
) -> Iterator[Contender]:
    """Run and fill the service; without ``relay`` it finds no NATS, and its outbox waits."""
    more = {"ACCESS_LOG": str(log_requests).lower()} | ({} if relay else {"NATS_URL": _NOWHERE})
    process = Process(
        name=NAME,
        command=(PYTHON, "-m", "common.serve", "projects.main:create_app"),
        environment=services.environment(context, NAME) | more,
    )
    url = f"http://{LOOPBACK}:{context.ports.projects}"
    log = context.home.log(f"{NAME}-measured")
    identify = partial(gateway_headers, context.secrets.fleet_secret)
    with running(process, log, context.home.repository) as child:
        answers(child, f"{url}/health/live", log)
        try:
            ids = _filled(url, context, world)
        except httpx.HTTPError as exc:
            raise StartError(f"The service cannot be filled: {exc}\n{tail(log)}") from exc
        yield Contender(
            name=NAME,
            url=url,
            pids=(child.pid,),
            identify=identify,
            project_ids=ids,
            database_url=postgres.url(context, postgres.USER),
            outbox=f"{NAME}.outbox",
            relays=relay,
        )


def gateway_headers(secret: str, user: UUID) -> dict[str, str]:
    """Return what the gateway adds to a request of a user whose token it has checked."""
    trace = uuid7()
    return {
        "x-fleet-secret": secret,
        "x-user-id": str(user),
        "x-auth-session": str(uuid7()),
        "x-auth-role": "user",
        "x-auth-method": "jwt",
        "x-request-id": str(trace),
        "traceparent": f"00-{trace.hex}-{trace.hex[16:]}-00",
        "x-envoy-external-address": LOOPBACK,
    }


def _filled(url: str, context: Context, world: World) -> list[str]:
    with httpx.Client(base_url=f"{url}/api/v1/projects", timeout=_SEED_TIMEOUT_S) as client:
        ids = [_project(client, context.secrets.fleet_secret, world, p) for p in world.projects]
    # not through the route for it, which asks the auth service who that is: it does not run here
    members = [
        (UUID(project_id), world.users[project.editor], "editor")
        for project_id, project in zip(ids, world.projects, strict=True)
    ]
    tables = {"member": (("project_id", "user_id", "role"), members)}
    database.fill(postgres.url(context, postgres.USER), NAME, tables)
    return ids


def _project(client: httpx.Client, secret: str, world: World, project: SeedProject) -> str:
    headers = gateway_headers(secret, world.users[project.owner])
    new = {
        "name": project.name,
        "description": project.description,
        "settings": project.settings,
        "isPublic": False,
    }
    made = _post(client, "", new, headers)
    project_id = str(msgspec.json.decode(made)["data"]["id"])
    operations = [
        {"op": "create", "path": file.path, "content": file.content} for file in project.files
    ]
    _post(client, f"/{project_id}/files/batch", {"operations": operations}, headers)
    return project_id


def _post(
    client: httpx.Client, path: str, body: Mapping[str, object], headers: dict[str, str]
) -> bytes:
    return client.post(path, json=body, headers=headers).raise_for_status().content
