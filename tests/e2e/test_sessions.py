"""A session that is over is over everywhere, from the moment in which that was answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from fleet.testing import Running

_ME = "/api/v1/users/me"
_PATIENCE_S = 20.0
# so that logins are counted beside those of the other tests, and not among them
_ADDRESS = "127.0.7.1"


@pytest.fixture
async def apart(fleet_up: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an address of its own."""
    transport = httpx.AsyncHTTPTransport(local_address=_ADDRESS)
    async with httpx.AsyncClient(
        base_url=fleet_up.gateway_url, timeout=30, transport=transport
    ) as client:
        yield client


class Login:
    """One login of somebody."""

    def __init__(self, client: httpx.AsyncClient, data: dict[str, Any]) -> None:
        self.client = client
        self.token: str = data["accessToken"]
        self.refresh_token: str = data["refreshToken"]
        self.headers = {"authorization": f"Bearer {self.token}"}

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask with the access token."""
        return await self.client.request(method, path, headers=self.headers, **more)

    async def sessions(self) -> dict[bool, list[dict[str, Any]]]:
        """The sessions that are listed: the current one under ``True``."""
        answer = await self.ask("GET", "/api/v1/auth/sessions")
        assert answer.status_code == 200, answer.text
        listed = answer.json()["data"]
        return {is_it: [s for s in listed if s["isCurrent"] is is_it] for is_it in (True, False)}

    async def id(self) -> str:
        """The session's id."""
        found: str = (await self.sessions())[True][0]["id"]
        return found

    async def ticket(self) -> str:
        """A ticket for a socket."""
        answer = await self.ask("POST", "/api/v1/auth/ws-ticket")
        ticket: str = answer.json()["data"]["ticket"]
        return ticket


async def _login(client: httpx.AsyncClient, who: Any) -> Login:
    body = {"login": who.username, "password": "correct horse", "tokenDelivery": "body"}
    answer = await client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    return Login(client, answer.json()["data"])


def _refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    error = answer.json()["error"]
    assert error["code"] == "UNAUTHENTICATED"
    assert error["message"] == "The session is over; log in again."
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_ended_session_is_refused_from_its_end_on(person, apart) -> None:
    ann = await person()
    others = [await _login(apart, ann) for _ in range(20)]
    for other in others:
        ended = await other.id()
        answer = await ann.client.delete(f"/api/v1/auth/sessions/{ended}")
        assert answer.status_code == 204, answer.text
        _refused(await other.ask("GET", _ME))
    for other in others:
        _refused(await other.ask("GET", "/api/v1/projects"))
        # where nobody need be known, whoever shows a token must show a good one
        _refused(await other.ask("GET", f"/api/v1/users/{ann.username}"))
    assert (await ann.client.get(_ME)).status_code == 200


@pytest.mark.parametrize("scope", ["this", "all", "others"])
async def test_who_logs_out_is_out_from_then_on(person, apart, scope: str) -> None:
    ann, bob = await person(), await person()
    mine, other = [await _login(apart, ann) for _ in range(2)]
    wanted = {"name": "ci", "scopes": ["users:read"]}
    key = (await mine.ask("POST", "/api/v1/auth/api-keys", json=wanted)).json()["data"]["key"]
    assert (await mine.ask("POST", f"/api/v1/auth/logout?scope={scope}")).status_code == 204
    after = {one: await one.ask("GET", _ME) for one in (mine, other)}
    over = {"this": {mine}, "all": {mine, other}, "others": {other}}[scope]
    for one, answer in after.items():
        if one in over:
            _refused(answer)
        else:
            assert answer.status_code == 200, answer.text
    assert (await bob.client.get(_ME)).status_code == 200
    assert (await apart.get(_ME, headers={"x-api-key": key})).status_code == 200
    again = await _login(apart, ann)
    assert (await again.ask("GET", _ME)).status_code == 200


async def test_a_stolen_session_is_refused_once_that_is_noticed(person, apart) -> None:
    ann = await person()
    thief = await _login(apart, ann)
    tokens = [thief.refresh_token]
    for _ in range(2):
        answer = await apart.post("/api/v1/auth/refresh", json={"refreshToken": tokens[-1]})
        thief = Login(apart, answer.json()["data"])
        tokens.append(thief.refresh_token)
    assert (await thief.ask("GET", _ME)).status_code == 200
    noticed = await apart.post("/api/v1/auth/refresh", json={"refreshToken": tokens[0]})
    assert noticed.json()["error"]["code"] == "REFRESH_TOKEN_REUSED"
    _refused(await thief.ask("GET", _ME))


@pytest.fixture
async def knock(fleet_up: Running) -> AsyncIterator[Callable[[str, str], Awaitable[Any]]]:
    """A way to open the socket of a project's room with some credentials."""
    url = fleet_up.gateway_url.replace("http", "ws", 1)
    async with AsyncExitStack() as sockets:

        async def opened(project: str, query: str) -> Any:
            room = connect(f"{url}/collab/v1/projects/{project}?{query}")
            return await sockets.enter_async_context(room)

        yield opened


async def _closed(socket: Any) -> int:
    """Wait until a socket is closed, and return the code."""
    async with asyncio.timeout(_PATIENCE_S):
        await socket.wait_closed()
    code: int = socket.close_code
    return code


async def test_sessions_are_listed_and_one_that_is_ended_loses_everything(
    person, apart, knock
) -> None:
    ann = await person()
    project = await ann.project()
    mine, other = [await _login(apart, ann) for _ in range(2)]
    listed = await mine.sessions()
    assert [one["address"] for one in listed[True]] == [_ADDRESS]
    assert ann.address in {one["address"] for one in listed[False]}
    for one in (*listed[True], *listed[False]):
        assert {"device", "createdAt", "lastSeenAt", "expiresAt"} <= set(one)
    by_token = await knock(project, f"access_token={other.token}")
    by_ticket = await knock(project, f"ticket={await other.ticket()}")
    stays = await knock(project, f"access_token={mine.token}")
    for socket in (by_token, by_ticket, stays):
        await socket.recv()
    unused = await other.ticket()

    ended = await other.id()
    closing = asyncio.gather(_closed(by_token), _closed(by_ticket))
    assert (await mine.ask("DELETE", f"/api/v1/auth/sessions/{ended}")).status_code == 204
    _refused(await other.ask("GET", _ME))
    assert list(await closing) == [4401, 4401]
    for credentials in (f"access_token={other.token}", f"ticket={unused}"):
        assert await _closed(await knock(project, credentials)) == 4401
    assert stays.close_code is None


async def test_what_is_over_stays_over_while_auth_is_away(
    fleet_up: Running, person, apart, until
) -> None:
    ann = await person()
    project = await ann.project()
    other = await _login(apart, ann)
    await other.ask("POST", "/api/v1/auth/logout")

    async def is_back() -> bool:
        return bool((await ann.client.get(_ME)).status_code == 200)

    await asyncio.to_thread(fleet_up.stop, "auth")
    try:
        _refused(await other.ask("GET", f"/api/v1/projects/{project}"))
        assert (await ann.client.get(f"/api/v1/projects/{project}")).status_code == 200
    finally:
        await asyncio.to_thread(fleet_up.start, "auth")
        await until(is_back)


async def test_what_is_over_stays_over_for_a_gateway_that_begins(
    fleet_up: Running, person, apart
) -> None:
    ann = await person()
    other = await _login(apart, ann)
    await other.ask("POST", "/api/v1/auth/logout")
    await asyncio.to_thread(fleet_up.restart, "gateway")
    _refused(await other.ask("GET", _ME))
    assert (await ann.client.get(_ME)).status_code == 200
