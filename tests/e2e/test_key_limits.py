"""A key for a machine is good for its project, its scopes and its place, until it is revoked."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fleet.testing import Running
from tests.e2e.conftest import Person

_KEYS = "/api/v1/auth/api-keys"
_BUILDS = "/api/v1/builds"
# all of 127.0.0.0/8 is this machine's
_INSIDE, _OUTSIDE = "127.0.19.1", "127.0.19.2"

type Machine = Callable[[str], httpx.AsyncClient]


class Key:
    """A key, and what its owner was told of it."""

    def __init__(self, owner: Person, data: dict[str, Any]) -> None:
        self.owner = owner
        self.id: str = data["id"]
        self.secret: str = data["key"]
        self.shown = {name: value for name, value in data.items() if name != "key"}

    async def status(self) -> dict[str, Any]:
        """What its owner sees of it."""
        answer = await self.owner.client.post(f"{_KEYS}/introspect", json={"key": self.secret})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found


@pytest.fixture
async def machine(fleet_up: Running) -> AsyncIterator[Machine]:
    """A way to call the gateway from an address with nothing but a key."""
    async with AsyncExitStack() as stack:

        def at(address: str) -> httpx.AsyncClient:
            transport = httpx.AsyncHTTPTransport(local_address=address)
            client = httpx.AsyncClient(
                base_url=fleet_up.gateway_url, timeout=30, transport=transport
            )
            stack.push_async_callback(client.aclose)
            return client

        yield at


async def _key(owner: Person, project: str, *scopes: str) -> Key:
    wanted = {
        "name": "ci",
        "scopes": sorted(scopes),
        "projectId": project,
        "networks": [f"{_INSIDE}/32"],
        "expiresAt": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    }
    answer = await owner.client.post(_KEYS, json=wanted)
    assert answer.status_code == 201, answer.text
    return Key(owner, answer.json()["data"])


async def _build(client: httpx.AsyncClient, key: Key, project: str) -> httpx.Response:
    order = {"projectId": project, "target": "web"}
    return await client.post(_BUILDS, json=order, headers={"x-api-key": key.secret})


async def _read(client: httpx.AsyncClient, key: Key, project: str) -> httpx.Response:
    return await client.get(f"/api/v1/projects/{project}", headers={"x-api-key": key.secret})


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_keys_secret_is_shown_once(person) -> None:
    ann = await person()
    project = await ann.project()
    key = await _key(ann, project, "builds:write")
    assert key.secret.startswith("wl_")
    assert (key.shown["projectId"], key.shown["networks"]) == (project, [f"{_INSIDE}/32"])
    listed = await ann.client.get(_KEYS)
    assert listed.json()["data"] == [key.shown]
    assert key.secret not in listed.text
    looked = await key.status()
    assert looked == {"active": True, "key": key.shown}


async def test_a_key_for_a_project_is_good_for_no_other_of_its_owners(
    person, machine: Machine
) -> None:
    ann = await person()
    own, other = await ann.project(), await ann.project()
    key = await _key(ann, own, "builds:write", "projects:read")
    ci = machine(_INSIDE)
    built = await _build(ci, key, own)
    assert built.status_code == 201, built.text
    assert built.json()["data"]["projectId"] == own
    assert (await _read(ci, key, own)).json()["data"]["id"] == own
    for ask in (_build, _read):
        assert _code(await ask(ci, key, other)) == (404, "NOT_FOUND")
    path = f"/api/v1/projects/{other}/builds"
    assert (await ann.client.get(path)).json()["data"] == []


async def test_a_key_that_builds_does_nothing_else(person, machine: Machine) -> None:
    ann = await person()
    project = await ann.project()
    key = await _key(ann, project, "builds:write")
    ci, headers = machine(_INSIDE), {"x-api-key": key.secret}
    assert (await _build(ci, key, project)).status_code == 201
    path = f"/api/v1/projects/{project}"
    for answer in (
        await ci.get(path, headers=headers),
        await ci.get(f"{path}/files/a.txt", headers=headers),
        await ci.put(f"{path}/files/a.txt", json={"content": ""}, headers=headers),
        await ci.delete(path, headers=headers),
        await ci.get("/api/v1/users/me", headers=headers),
        await ci.post("/api/v1/auth/ws-ticket", headers=headers),
        await ci.get(_KEYS, headers=headers),
    ):
        assert _code(answer) == (403, "INSUFFICIENT_SCOPE")
    assert (await ann.client.get(path)).status_code == 200
    assert (await ann.client.get(f"{path}/files/a.txt")).status_code == 404


async def test_a_key_is_good_at_its_own_address_alone(person, machine: Machine) -> None:
    ann = await person()
    project = await ann.project()
    key = await _key(ann, project, "builds:write", "projects:read")
    there, elsewhere = machine(_INSIDE), machine(_OUTSIDE)
    assert (await _read(there, key, project)).status_code == 200
    for ask in (_build, _read):
        assert _code(await ask(elsewhere, key, project)) == (403, "FORBIDDEN")
    # where a request comes from is not for it to say
    for name in ("x-forwarded-for", "x-envoy-external-address", "x-real-ip"):
        headers = {"x-api-key": key.secret, name: _INSIDE}
        answer = await elsewhere.get(f"/api/v1/projects/{project}", headers=headers)
        assert _code(answer) == (403, "FORBIDDEN")
    builds = await ann.client.get(f"/api/v1/projects/{project}/builds")
    assert builds.json()["data"] == []
    assert (await _build(there, key, project)).status_code == 201


async def test_its_owner_sees_a_key_used_and_revoked(person, machine: Machine) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    key = await _key(ann, project, "builds:write")
    ci = machine(_INSIDE)
    fresh = await key.status()
    assert (fresh["active"], fresh["key"]["lastUsedAt"]) == (True, None)
    assert (await _build(ci, key, project)).status_code == 201
    used = await key.status()
    assert used["active"] is True
    assert used["key"]["lastUsedAt"] >= used["key"]["createdAt"]
    # to anybody else it is no key at all
    strange = await bob.client.post(f"{_KEYS}/introspect", json={"key": key.secret})
    assert strange.json()["data"] == {"active": False, "key": None}

    assert (await ann.client.delete(f"{_KEYS}/{key.id}")).status_code == 204
    refused = await _build(ci, key, project)
    assert _code(refused) == (401, "UNAUTHENTICATED")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    revoked = await key.status()
    assert revoked["active"] is False
    assert revoked["key"]["revokedAt"] is not None
    assert revoked["key"] == used["key"] | {"revokedAt": revoked["key"]["revokedAt"]}
