"""Staying logged in through the gateway: lost replies, ten tabs at once, and a thief."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import nats
import pytest
from services.auth.tests.desk import claims

from common.ids import uuid7
from fleet.testing import Running

_AUTH = "/api/v1/auth"
_ME = "/api/v1/users/me"
_ACCESS_S_MAX = 900
_PATIENCE_S = 30
# so that what is strictly limited is counted beside the other tests, and not among them
_ADDRESS = "127.0.18.1"
_ACCOUNT = {
    "id",
    "email",
    "username",
    "displayName",
    "avatarUrl",
    "role",
    "emailVerified",
    "createdAt",
    "updatedAt",
}


@pytest.fixture
async def apart(fleet_up: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an address of its own."""
    transport = httpx.AsyncHTTPTransport(local_address=_ADDRESS)
    async with httpx.AsyncClient(
        base_url=fleet_up.gateway_url, timeout=30, transport=transport
    ) as client:
        yield client


async def _refresh(client: httpx.AsyncClient, refresh_token: str) -> httpx.Response:
    return await client.post(f"{_AUTH}/refresh", json={"refreshToken": refresh_token})


async def _pair(client: httpx.AsyncClient, refresh_token: str) -> dict[str, Any]:
    return _brought(await _refresh(client, refresh_token))


def _brought(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def _ask(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get(_ME, headers={"authorization": f"Bearer {token}"})


def _refused(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"]["code"] == code
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_who_one_is_says_nothing_of_the_password(person, gateway) -> None:
    ann = await person()
    answer = await ann.client.get(f"{_AUTH}/me")
    data = _brought(answer)
    assert set(data) == _ACCOUNT
    assert (data["id"], data["username"]) == (ann.user_id, ann.username)
    assert data == _brought(await ann.client.get(_ME))
    _refused(await gateway.get(f"{_AUTH}/me"), "UNAUTHENTICATED")


async def test_a_refresh_brings_another_pair_for_the_same_session(person, apart) -> None:
    ann = await person()
    data = await _pair(apart, ann.refresh_token)
    assert data["refreshToken"] != ann.refresh_token
    assert data["expiresIn"] <= _ACCESS_S_MAX
    first, second = claims(ann.token), claims(data["accessToken"])
    assert (second["sub"], second["sid"]) == (ann.user_id, first["sid"])
    for said in (first, second):
        assert said["exp"] - said["iat"] <= _ACCESS_S_MAX
    assert _brought(await _ask(apart, data["accessToken"])) == data["user"]


async def test_who_lost_the_reply_gets_the_same_successor_and_stays(person, apart) -> None:
    ann = await person()
    lost = await _pair(apart, ann.refresh_token)
    again = await _pair(apart, ann.refresh_token)
    assert again["refreshToken"] == lost["refreshToken"]
    for token in (ann.token, lost["accessToken"], again["accessToken"]):
        assert (await _ask(apart, token)).status_code == 200
    following = await _pair(apart, again["refreshToken"])
    assert (await _ask(apart, following["accessToken"])).status_code == 200


async def test_ten_tabs_at_once_get_one_successor_and_all_stay(person, apart) -> None:
    ann = await person()
    answers = await asyncio.gather(*[_refresh(apart, ann.refresh_token) for _ in range(10)])
    brought = [_brought(answer) for answer in answers]
    [successor] = {data["refreshToken"] for data in brought}
    asked = [_ask(apart, data["accessToken"]) for data in brought]
    assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * 10
    following = await _pair(apart, successor)
    assert (await _ask(apart, following["accessToken"])).status_code == 200


async def test_a_token_that_comes_back_ends_its_family_and_that_is_announced(
    fleet_up: Running, person, apart
) -> None:
    ann = await person()
    login = {"login": ann.username, "password": "correct horse", "tokenDelivery": "body"}
    elsewhere = _brought(await apart.post(f"{_AUTH}/login", json=login))
    second = await _pair(apart, ann.refresh_token)
    third = await _pair(apart, second["refreshToken"])
    assert (await _ask(apart, third["accessToken"])).status_code == 200
    _refused(await _refresh(apart, ann.refresh_token), "REFRESH_TOKEN_REUSED")
    for token in (ann.token, second["accessToken"], third["accessToken"]):
        _refused(await _ask(apart, token), "UNAUTHENTICATED")
    for token in (third["refreshToken"], second["refreshToken"], ann.refresh_token):
        _refused(await _refresh(apart, token), "UNAUTHENTICATED")
    family = claims(ann.token)["sid"]
    assert await _told(fleet_up, ann.user_id) == {"userId": ann.user_id, "sessionId": family}
    # whoever stole one login has not stolen the other
    assert (await _ask(apart, elsewhere["accessToken"])).status_code == 200
    await _pair(apart, elsewhere["refreshToken"])


async def _told(fleet_up: Running, user_id: str) -> dict[str, Any]:
    """What was announced of somebody whose token came back."""
    client = await nats.connect(
        f"nats://127.0.0.1:{fleet_up.ports.nats}",
        user="admin",
        password=fleet_up.secrets.nats["admin"],
    )
    try:
        stream = client.jetstream()
        events = await stream.subscribe("auth.token.reused.v1", ordered_consumer=True)
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                message = await events.next_msg(timeout=_PATIENCE_S)
                data: dict[str, Any] = msgspec.json.decode(message.data)["data"]
                if data["userId"] == user_id:
                    return data
    finally:
        await client.close()


async def test_who_asks_for_a_reset_does_not_learn_whether_there_is_an_account(
    person, apart
) -> None:
    ann = await person()
    # an answer repeats the name of its request, and nothing else may tell the two apart
    headers = {"x-request-id": str(uuid7())}
    known, unknown = [
        await apart.post(
            f"{_AUTH}/password/forgot", json={"email": f"{name}@example.org"}, headers=headers
        )
        for name in (ann.username, f"x{ann.username}")
    ]
    assert (known.status_code, unknown.status_code) == (202, 202)
    assert known.content == unknown.content
    assert sorted(known.headers.keys()) == sorted(unknown.headers.keys())
