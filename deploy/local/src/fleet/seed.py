"""A demo account and a demo project, made through the gateway as a newcomer would make them."""

import time

import httpx
import msgspec

from fleet.secrets import DEMO_EMAIL, DEMO_USERNAME

PROJECT = "Breakout"
TEMPLATE = "breakout"
CONFLICT = 409
UNAVAILABLE = 503
TIMEOUT_S = 30.0
# the gateway may need a moment until it has seen every service's health
PATIENCE_S = 20.0


class SeedError(Exception):
    """The gateway refused; the message is its answer."""


class Seeded(msgspec.Struct, frozen=True):
    """What a newcomer finds."""

    email: str
    password: str
    project_id: str


def seed(gateway_url: str, password: str) -> Seeded:
    """Make the account and the project, or find those of last time."""
    with httpx.Client(
        base_url=f"{gateway_url}/api/v1", timeout=TIMEOUT_S, trust_env=False
    ) as client:
        _register(client, password)
        client.headers["authorization"] = f"Bearer {_login(client, password)}"
        return Seeded(DEMO_EMAIL, password, _project(client))


def _register(client: httpx.Client, password: str) -> None:
    account = {
        "email": DEMO_EMAIL,
        "username": DEMO_USERNAME,
        "password": password,
        "displayName": "Demo",
    }
    answer = _patient(client, "POST", "/auth/register", account)
    if answer.status_code != CONFLICT:
        _data(answer)


def _login(client: httpx.Client, password: str) -> str:
    account = {"login": DEMO_EMAIL, "password": password}
    return str(_data(_patient(client, "POST", "/auth/login", account))["accessToken"])


def _project(client: httpx.Client) -> str:
    known = _listed(_patient(client, "GET", "/projects"))
    for project in known:
        if project["name"] == PROJECT:
            return str(project["id"])
    templates = _listed(_patient(client, "GET", "/templates"))
    chosen = [template for template in templates if template["slug"] == TEMPLATE]
    if not chosen:
        raise SeedError(f"There is no template {TEMPLATE!r}.")
    path = f"/projects/from-template/{chosen[0]['id']}"
    return str(_data(_patient(client, "POST", path, {"name": PROJECT}))["id"])


def _patient(
    client: httpx.Client, method: str, path: str, body: dict[str, str] | None = None
) -> httpx.Response:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        answer = client.request(method, path, json=body)
        if answer.status_code != UNAVAILABLE or time.monotonic() > give_up_at:
            return answer
        time.sleep(0.2)


def _data(answer: httpx.Response) -> dict[str, object]:
    return msgspec.convert(_checked(answer), dict[str, object])


def _listed(answer: httpx.Response) -> list[dict[str, object]]:
    return msgspec.convert(_checked(answer), list[dict[str, object]])


def _checked(answer: httpx.Response) -> object:
    if answer.is_error:
        request = answer.request
        raise SeedError(
            f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:300]}"
        )
    return answer.json()["data"]
