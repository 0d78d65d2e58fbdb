"""Guessing passwords through the gateway: who guesses is stopped, and whose account it is is not.

Each test guesses from addresses of its own, so that it locks out no other test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from common.ids import uuid7
from fleet.testing import Running
from tests.e2e.conftest import Person

PASSWORD = "correct horse"  # noqa: S105 - the one that everybody in these tests has
WRONG = "wrong password"

type Meet = Callable[[], Awaitable[Person]]
type From = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def client_at(fleet_up: Running) -> AsyncIterator[From]:
    """A way to call the gateway from another address: all of 127.0.0.0/8 is this machine's."""
    clients: list[httpx.AsyncClient] = []

    def client_at(address: str) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=address)
        client = httpx.AsyncClient(
            base_url=fleet_up.gateway_url, transport=transport, timeout=30, trust_env=False
        )
        clients.append(client)
        return client

    yield client_at
    for client in clients:
        await client.aclose()


async def tried(
    client: httpx.AsyncClient, login: str, password: str = WRONG, **headers: str
) -> httpx.Response:
    """Try to log in."""
    sends = {"login": login, "password": password, "tokenDelivery": "body"}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/api/v1/auth/login", json=sends, headers=given)


def waits(answer: httpx.Response) -> int:
    """How long a refusal tells to wait."""
    assert answer.status_code == 429, answer.text
    error = answer.json()["error"]
    assert error["code"] == "RATE_LIMITED"
    assert error["requestId"] == answer.headers["x-request-id"]
    for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"):
        assert int(answer.headers[name]) >= 0
    wait_s = int(answer.headers["retry-after"])
    assert error["details"] == [{"limit": error["details"][0]["limit"], "retryAfter": wait_s}]
    return wait_s


async def test_six_wrong_passwords_and_the_owner_logs_in_meanwhile(
    person: Meet, client_at: From
) -> None:
    ann = await person()
    guessing, home = client_at("127.0.11.1"), client_at("127.0.11.2")
    answers = [await tried(guessing, ann.username) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert 0 < waits(answers[-1]) <= 900
    assert waits(await tried(guessing, ann.username, PASSWORD)) > 0
    assert (await tried(home, ann.username, PASSWORD)).status_code == 200
    assert waits(await tried(guessing, ann.username, PASSWORD)) > 0


async def test_nobody_is_locked_out_like_somebody(client_at: From) -> None:
    guessing = client_at("127.0.12.1")
    answers = [await tried(guessing, f"nobody-{uuid7().hex[-12:]}") for _ in range(2)]
    nobody = f"nobody-{uuid7().hex[-12:]}"
    answers += [await tried(guessing, nobody) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 7 + [429]
    assert len({answer.json()["error"]["message"] for answer in answers[:-1]}) == 1


FORGED = ("x_forwarded_for", "x_envoy_external_address", "x_real_ip", "forwarded", "true_client_ip")


async def test_fifty_wrong_passwords_from_forged_addresses(person: Meet, client_at: From) -> None:
    ann = await person()
    guessing = client_at("127.0.13.1")
    found = []
    for number in range(50):
        forged = dict.fromkeys(FORGED, f"198.51.100.{number}")
        forged["forwarded"] = f"for=198.51.100.{number}"
        answer = await tried(guessing, ann.username, **forged)
        found.append(answer.status_code)
    assert found == [401] * 5 + [429] * 45
    assert (await tried(client_at("127.0.13.2"), ann.username, PASSWORD)).status_code == 200


async def test_eleven_accounts_from_one_address(person: Meet, client_at: From) -> None:
    people = [await person() for _ in range(11)]
    guessing, home = client_at("127.0.14.1"), client_at("127.0.14.2")
    answers = [await tried(guessing, one.username) for one in people]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert waits(await tried(guessing, people[10].username, PASSWORD)) > 0
    assert waits(await tried(guessing, f"nobody-{uuid7().hex[-12:]}")) > 0
    assert (await tried(home, people[10].username, PASSWORD)).status_code == 200


async def test_a_session_says_on_what_device_and_where_it_is(person: Meet, client_at: From) -> None:
    ann = await person()
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    answer = await tried(client_at("127.0.15.1"), ann.username, PASSWORD, user_agent=agent)
    assert answer.status_code == 200, answer.text
    listed = (await ann.client.get("/api/v1/auth/sessions")).json()["data"]
    there = next(one for one in listed if not one["isCurrent"])
    assert (there["device"], there["address"]) == ("Firefox on Linux", "127.0.15.1")
    assert there["createdAt"] <= there["lastSeenAt"]
    assert [one["isCurrent"] for one in listed].count(True) == 1


PASSWORDS = {
    "64 characters": "correct horse battery staple ".ljust(64, "x"),
    "73 bytes": "x-" * 36 + "y",
    "200 bytes": "\u20ac-horse " * 20,
    "emoji": "\U0001f4a5\U0001f1ea\U0001f1fa" * 3,
}


async def registered(client: httpx.AsyncClient, password: str) -> httpx.Response:
    """Register somebody with this password."""
    name = f"p{uuid7().hex[-20:]}"
    new = {"email": f"{name}@example.org", "username": name, "password": password}
    return await client.post("/api/v1/auth/register", json=new)


async def test_a_password_is_taken_as_it_is(client_at: From) -> None:
    client = client_at("127.0.16.1")
    for password in PASSWORDS.values():
        answer = await registered(client, password)
        assert answer.status_code == 201, answer.text
        name = answer.json()["data"]["user"]["username"]
        for wrong in (password[:-1], f"{password}x", password[:72].ljust(72, "z")):
            assert (await tried(client, name, wrong)).status_code == 401
        assert (await tried(client, name, password)).status_code == 200


@pytest.mark.parametrize("password", ["password1", "short", "nul\u0000 in it", "x" * 1_000_000])
async def test_a_password_that_cannot_be_one_is_refused(client_at: From, password: str) -> None:
    answer = await registered(client_at("127.0.17.1"), password)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [detail["field"] for detail in error["details"]] == ["password"]
