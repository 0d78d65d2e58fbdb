"""Accounts are watched, administered and deleted, with effect everywhere and at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urljoin

import asyncpg
import httpx
import pytest
from services.auth.tests.operation import operate
from websockets.asyncio.client import connect

from fleet.play import Browsing
from fleet.stores import postgres
from fleet.testing import Running
from tests.e2e.test_revocation import _completed, _hold, _is, _read, _sent, _status

_ME = "/api/v1/users/me"
_AUDIT = f"{_ME}/audit"
_LOOK_S = 0.02
_PATIENCE_S = 20.0


async def _ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"] if answer.content else None


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def _entries(who, action: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = await _ok(await who.client.get(f"{_AUDIT}?action={action}"))
    return entries


async def _until(look: Callable[[], Awaitable[object]]) -> None:
    """Wait until it is so, for a generous while."""
    began = time.monotonic()
    while not await look():
        assert time.monotonic() - began < _PATIENCE_S, "It did not happen."
        await asyncio.sleep(_LOOK_S)


async def _key(who, *scopes: str) -> dict[str, Any]:
    order = {"name": "ci", "scopes": list(scopes)}
    made: dict[str, Any] = await _ok(
        await who.client.post("/api/v1/auth/api-keys", json=order), 201
    )
    return made


async def _invite(owner, project: str, who, role: str) -> None:
    order = {"login": who.username, "role": role}
    path = f"/api/v1/projects/{project}/collaborators"
    await _ok(await owner.client.post(path, json=order), 201)


async def test_what_one_does_is_in_a_log_that_is_only_read(person, until) -> None:
    ann, bob = await person(), await person()
    login = {"login": ann.username, "password": "correct horse", "tokenDelivery": "body"}
    sent = {"x-request-id": "login-of-ann"}
    again = await _ok(await ann.client.post("/api/v1/auth/login", json=login, headers=sent))
    key = await _key(ann, "builds:write")
    project = await ann.project(name="Pong")
    await _invite(ann, project, bob, "viewer")
    member = f"/api/v1/projects/{project}/collaborators/{bob.user_id}"
    sent = {"x-request-id": "role-of-bob"}
    await _ok(await ann.client.patch(member, json={"role": "editor"}, headers=sent))
    sent = {"x-request-id": "end-of-pong"}
    assert (await ann.client.delete(f"/api/v1/projects/{project}", headers=sent)).status_code == 204

    async def is_heard() -> list[dict[str, Any]]:
        return await _entries(ann, "project.deleted")

    (deleted,) = await until(is_heard)
    (changed,) = await _entries(ann, "member.changed")
    (created,) = await _entries(ann, "api_key.created")
    started = (await _entries(ann, "session.started"))[0]
    for entry in (started, created, changed, deleted):
        assert (entry["actorId"], entry["address"]) == (ann.user_id, ann.address)
        assert entry["requestId"]
    requests = [entry["requestId"] for entry in (started, changed, deleted)]
    assert requests == ["login-of-ann", "role-of-bob", "end-of-pong"]
    assert created["details"]["keyId"] == key["id"]
    assert created["details"]["after"]["scopes"] == ["builds:write"]
    assert changed["details"] == {
        "projectId": project,
        "userId": bob.user_id,
        "before": {"role": "viewer"},
        "after": {"role": "editor"},
    }
    assert deleted["details"]["before"] == {"name": "Pong"}
    (suffered,) = await _entries(bob, "member.changed")
    assert (suffered["actorId"], suffered["address"]) == (ann.user_id, "")
    assert started["details"]["sessionId"] != again["user"]["id"]

    # over HTTP it is read and nothing else
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await ann.client.request(method, _AUDIT, json={})
        assert answer.status_code in {404, 405}, answer.text
        answer = await ann.client.request(method, f"{_AUDIT}/{created['id']}", json={})
        assert answer.status_code in {404, 405}, answer.text


async def _verified(fleet: Running, *arguments: str) -> tuple[int, str]:
    done = await operate(fleet.env("auth"), "verify-audit", *arguments)
    return done.code, done.out + done.err


async def _sealed(fleet: Running, user_id: str) -> int:
    connection = await asyncpg.connect(postgres.url(fleet.context, "auth"))
    try:
        statement = "SELECT count(*) FROM auth_audit.entry WHERE account_id = $1"
        count: int = await connection.fetchval(statement, user_id)
        return count
    finally:
        await connection.close()


async def test_the_ledger_tells_whether_somebody_was_at_it(
    person, fleet_up: Running, until
) -> None:
    ann = await person()
    count = len(await _ok(await ann.client.get(_AUDIT)))

    async def is_sealed() -> bool:
        return await _sealed(fleet_up, ann.user_id) == count

    assert await until(is_sealed)
    code, said = await _verified(fleet_up)
    assert code == 0, said
    head = said.split()[-1]
    entry = "SELECT sequence FROM auth_audit.entry WHERE account_id = $1 LIMIT 1"
    alter = "UPDATE auth_audit.entry SET action = $2 || action WHERE sequence = $1"
    mend = "UPDATE auth_audit.entry SET action = substr(action, 2) WHERE sequence = $1"
    service = await asyncpg.connect(postgres.url(fleet_up.context, "auth"))
    admin = await asyncpg.connect(postgres.url(fleet_up.context, postgres.USER, postgres.DATABASE))
    try:
        number = await service.fetchval(entry, ann.user_id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(alter, number, "x")
        await admin.execute(alter, number, "x")
        try:
            code, said = await _verified(fleet_up)
            assert (code, said.startswith(f"entry {number} is not what it was")) == (1, True)
        finally:
            await admin.execute(mend, number)
    finally:
        await service.close()
        await admin.close()
    code, said = await _verified(fleet_up, "--head", head)
    assert code == 0, said


async def _room(stack: AsyncExitStack, gateway: str, who, project: str) -> Any:
    ticket = (await _ok(await who.client.post("/api/v1/auth/ws-ticket"), 201))["ticket"]
    url = f"{gateway.replace('http', 'ws', 1)}/collab/v1/projects/{project}?ticket={ticket}"
    socket = await stack.enter_async_context(connect(url))
    await socket.recv()
    return socket


async def _closed(socket: Any) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        await socket.wait_closed()
    assert socket.close_code == 4401


async def _is_nobody(who, gateway, key: dict[str, str], project: str) -> None:
    """Nothing that somebody holds lets them in."""
    path = f"/api/v1/projects/{project}"
    refresh = {"refreshToken": who.refresh_token}
    for answer in (
        await who.client.get(_ME),
        await who.client.get(path),
        await gateway.get(path, headers=key),
        await gateway.post("/api/v1/auth/refresh", json=refresh),
    ):
        assert _code(answer) == (401, "UNAUTHENTICATED")


async def test_an_account_that_is_deleted_is_gone_everywhere(
    person, gateway, fleet_up: Running, until
) -> None:
    ann, bob = await person(), await person()
    own, shared = await ann.project(), await bob.project()
    await _invite(ann, own, bob, "editor")
    await _invite(bob, shared, ann, "editor")
    key = {"x-api-key": (await _key(ann, "projects:read"))["key"]}
    paths = [f"/api/v1/projects/{own}{more}" for more in ("", "/assets", "/builds", "/files")]

    async def is_in() -> bool:
        return all([(await bob.client.get(path)).is_success for path in paths])

    async def is_out() -> bool:
        return {(await bob.client.get(path)).status_code for path in paths} == {404}

    async def has_left() -> bool:
        people = await _ok(await bob.client.get(f"/api/v1/projects/{shared}/collaborators"))
        return [one["userId"] for one in people] == [bob.user_id]

    assert await until(is_in)
    assert (await gateway.get(f"/api/v1/projects/{own}", headers=key)).status_code == 200
    async with AsyncExitStack() as stack:
        socket = await _room(stack, fleet_up.gateway_url, ann, shared)
        gone = await ann.client.delete(_ME)
        assert (gone.status_code, gone.content) == (204, b"")
        cookies = {line.partition("=")[0] for line in gone.headers.get_list("set-cookie")}
        assert cookies == {"wl_refresh", "wl_csrf"}
        await _is_nobody(ann, gateway, key, own)
        await asyncio.gather(_until(is_out), _until(has_left), _closed(socket))


async def test_the_names_of_a_deleted_account_are_free(person, gateway) -> None:
    ann = await person()
    await ann.project()
    assert (await ann.client.delete(_ME)).status_code == 204
    name, email = ann.username, f"{ann.username}@example.org"
    assert (await gateway.get(f"/api/v1/users/{name}")).status_code == 404
    new = {"email": email, "username": name, "password": "another horse", "tokenDelivery": "body"}
    heir = await _ok(await gateway.post("/api/v1/auth/register", json=new), 201)
    assert heir["user"]["id"] != ann.user_id
    token = {"authorization": f"Bearer {heir['accessToken']}"}
    for path in ("/api/v1/projects", "/api/v1/projects?scope=trashed", "/api/v1/auth/api-keys"):
        assert await _ok(await gateway.get(path, headers=token)) == []


async def _promote(fleet: Running, who) -> None:
    """Let somebody be an administrator."""
    done = await operate(fleet.env("auth"), "set-role", who.username, "admin")
    assert done.code == 0, done.err


async def test_an_administrator_disables_and_enables(person, gateway, fleet_up: Running) -> None:
    admin, bob = await person(), await person()
    users = "/api/v1/users"
    assert _code(await admin.client.get(users)) == (403, "FORBIDDEN")
    await _promote(fleet_up, admin)
    found = await _ok(await admin.client.get(f"{users}?q={bob.username}"))
    assert [(one["id"], one["disabled"]) for one in found] == [(bob.user_id, False)]
    key = {"x-api-key": (await _key(bob, "users:read"))["key"]}
    assert (await gateway.get(_ME, headers=key)).status_code == 200

    path = f"{users}/{bob.user_id}"
    assert (await _ok(await admin.client.patch(path, json={"disabled": True})))["disabled"]
    assert _code(await bob.client.get(_ME)) == (401, "UNAUTHENTICATED")
    refresh = {"refreshToken": bob.refresh_token}
    answer = await gateway.post("/api/v1/auth/refresh", json=refresh)
    assert _code(answer) == (401, "UNAUTHENTICATED")
    assert _code(await gateway.get(_ME, headers=key)) == (401, "UNAUTHENTICATED")
    assert _code(await bob.client.patch(path, json={"disabled": False})) == (401, "UNAUTHENTICATED")

    assert not (await _ok(await admin.client.patch(path, json={"disabled": False})))["disabled"]
    assert (await gateway.get(_ME, headers=key)).status_code == 200
    own = f"{users}/{admin.user_id}"
    assert _code(await admin.client.patch(own, json={"role": "user"})) == (409, "CONFLICT")
    # an API key is no administrator, whoever it belongs to
    by_key = {"x-api-key": (await _key(admin, "users:read"))["key"]}
    answer = await gateway.get(users, headers=by_key)
    assert _code(answer) == (403, "INSUFFICIENT_SCOPE")


async def test_who_is_disabled_holds_nothing_until_they_are_enabled(
    person, gateway, fleet_up: Running
) -> None:
    admin, owner, editor = await person(), await person(), await person()
    await _promote(fleet_up, admin)
    account, held = f"/api/v1/users/{editor.user_id}", await _hold(owner, editor)
    builds = await _ok(await editor.client.get(f"/api/v1/projects/{held.project}/builds"))
    (played,) = [one["playUrl"] for one in builds if one["playUrl"]]
    async with httpx.AsyncClient(transport=Browsing()) as browser:
        # the key is changed for a cookie
        game = urljoin(played, (await browser.get(played)).headers["location"])

        async def shown() -> int:
            return (await browser.get(game)).status_code

        assert await shown() == 200
        await _ok(await admin.client.patch(account, json={"disabled": True}))
        await asyncio.gather(
            _until(lambda: _is(_status(owner, held.build), "cancelled")),
            _until(lambda: _is(_status(owner, held.queued), "cancelled")),
            _until(lambda: _is(_read(held.download), 403)),
            _until(lambda: _is(_read(held.artifact), 403)),
            _until(lambda: _is(_sent(held.begun), 403)),
            _until(lambda: _is(shown(), 404)),
        )
        await _ok(await admin.client.patch(account, json={"disabled": False}))
        await _until(lambda: _is(_read(held.download), 200))
        await _until(lambda: _is(shown(), 200))
    login = {"login": editor.username, "password": "correct horse", "tokenDelivery": "body"}
    token = (await _ok(await gateway.post("/api/v1/auth/login", json=login)))["accessToken"]
    editor.client.headers["authorization"] = f"Bearer {token}"
    assert await _completed(editor, held.sent) == 201
    assets = await _ok(await editor.client.get(f"/api/v1/projects/{held.project}/assets"))
    assert {asset["name"] for asset in assets} == {"a.png", "s.png", "c.png"}
