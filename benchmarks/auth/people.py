"""The auth service, one process as it is deployed, and people who have registered there."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
import msgspec

from benchmarks.harness.ours import gateway_headers
from benchmarks.harness.processes import StartError, answers, running, tail
from common.ids import uuid7
from fleet import services
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process

NAME = "auth"
_NOWHERE = f"nats://{LOOPBACK}:9"
_TIMEOUT_S = 30.0


class Person(msgspec.Struct, frozen=True):
    """Somebody with an account."""

    id: UUID
    email: str
    username: str
    password: str


class Service(msgspec.Struct, frozen=True):
    """The service under measurement, and who may ask it."""

    url: str
    pid: int
    secret: str
    people: list[Person]


@contextmanager
def auth(context: Context, count: int) -> Iterator[Service]:
    """Run the service with its default settings, and register people; its outbox waits."""
    process = Process(
        name=NAME,
        command=(PYTHON, "-m", "common.serve", "auth.main:create_app"),
        environment=services.environment(context, NAME)
        | {"ACCESS_LOG": "false", "NATS_URL": _NOWHERE},
    )
    url = f"http://{LOOPBACK}:{context.ports.auth}"
    secret = context.secrets.fleet_secret
    log = context.home.log(f"{NAME}-measured")
    with running(process, log, context.home.repository) as child:
        answers(child, f"{url}/health/live", log)
        try:
            with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
                people = [_registered(client, secret) for _ in range(count)]
        except (httpx.HTTPError, KeyError) as exc:
            raise StartError(f"Nobody can register: {exc!r}\n{tail(log)}") from exc
        yield Service(url, child.pid, secret, people)


def _registered(client: httpx.Client, secret: str) -> Person:
    name = f"p{uuid7().hex[-20:]}"
    new = {"email": f"{name}@example.org", "username": name, "password": f"password of {name}"}
    headers = anonymous(secret)
    answer = client.post("/api/v1/auth/register", json=new, headers=headers).raise_for_status()
    user = answer.json()["data"]["user"]
    return Person(UUID(user["id"]), new["email"], name, new["password"])


def anonymous(secret: str) -> dict[str, str]:
    """What the gateway adds to a request of nobody in particular."""
    known = gateway_headers(secret, uuid7())
    return {
        name: value for name, value in known.items() if not name.startswith(("x-user-", "x-auth-"))
    }
