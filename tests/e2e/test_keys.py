"""Signing keys change, and nobody who asks the gateway meanwhile is refused for it."""

import asyncio
import base64
import hashlib
import hmac
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from services.auth.tests import apart
from services.auth.tests.desk import claims, part
from services.auth.tests.operation import operate

from common.ids import uuid7
from common.testing.processes import process
from common.testing.waiting import until
from fleet import gateway, ports, services
from fleet.gateway_values import Address
from fleet.testing import Running

_ME = "/api/v1/users/me"
_AUTH = "/api/v1/auth"
_PAUSE_S = 0.1
# tokens of a thief: the gateway takes what it has seen for as long as it has not expired
_STOLEN = 60
# neither expired, nor good
_UNKNOWN = (401, "UNAUTHENTICATED")
# a fleet in which everything about keys goes by in seconds, not in hours
_HASTE = {
    "SIGNING_KEYS_CACHED_S": "1",
    "JWKS_CACHED_S": "1",
    "SIGNING_KEY_OVERLAP_S": "4",
    "ACCESS_LIFETIME_S": "9",
    "CLOCKS_DIFFER_S": "1",
    "ACCESS_LOG": "false",
}


class Gateway:
    """One more gateway before another auth: it looks for new keys every second."""

    def __init__(self, fleet: Running, auth_port: int, folder: Path) -> None:
        context, free = fleet.context, ports.free()
        usual = gateway.values_for(
            fleet.ports,
            fleet_secret=fleet.secrets.fleet_secret,
            allowed_origins=services.origins(context),
            access_log=folder / "access.log",
        )
        values = msgspec.structs.replace(
            usual,
            listen_port=free.gateway,
            admin_port=free.envoy_admin,
            upstreams=msgspec.structs.replace(usual.upstreams, auth=[Address(auth_port)]),
            jwks_cache_s=1,
        )
        path = gateway.render(values, folder)
        self.url = f"http://localhost:{free.gateway}"
        self._command = gateway.command(path, context.programs.envoy, log_level="error")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it."""
        self._process = subprocess.Popen(self._command)  # noqa: S603 - the fleet's own gateway

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


class Hasty(msgspec.Struct, frozen=True):
    """A gateway that forgets keys quickly, and what its auth is told."""

    gateway: Gateway
    told: dict[str, str]


class Visitor:
    """Somebody whose client refreshes its tokens all the time, and remembers what signed them."""

    def __init__(self, client: httpx.AsyncClient, data: dict[str, Any]) -> None:
        self.client = client
        self.tokens: list[str] = []
        self._take(data)

    def _take(self, data: dict[str, Any]) -> None:
        self.tokens.append(data["accessToken"])
        self._refresh_token = data["refreshToken"]

    @property
    def kid(self) -> str:
        """What signed the newest token."""
        return kid(self.tokens[-1])

    async def refresh(self) -> None:
        """Get the next token."""
        sends = {"refreshToken": self._refresh_token}
        answer = await self.client.post(f"{_AUTH}/refresh", json=sends)
        assert answer.status_code == 200, answer.text
        self._take(answer.json()["data"])

    async def go_on(self) -> None:
        """Refresh, and ask with every token that has not expired: none is refused."""
        await self.refresh()
        self.tokens = [token for token in self.tokens if claims(token)["exp"] > time.time() + 1]
        for token in self.tokens:
            answer = await ask(self.client, token)
            assert answer.status_code == 200, (answer.text, part(token, 0))
        await asyncio.sleep(_PAUSE_S)


def kid(token: str) -> str:
    """What signed a token."""
    found: str = part(token, 0)["kid"]
    return found


async def ask(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """Ask the gateway as whom a token names."""
    return await client.get(_ME, headers={"authorization": f"Bearer {token}"})


def code(answer: httpx.Response) -> tuple[int, str]:
    """How an answer failed, if it did."""
    failed = {} if answer.is_success else answer.json()["error"]
    return answer.status_code, failed.get("code", "")


async def kids(client: httpx.AsyncClient) -> list[str]:
    """The keys that everybody may know, the newest first."""
    answer = await client.get("/.well-known/jwks.json")
    return [key["kid"] for key in answer.json()["keys"]]


@pytest.fixture(scope="module")
async def hasty(
    fleet_up: Running, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hasty]:
    """Auth with a database of its own, and a gateway before it, both in haste."""
    made = await asyncio.to_thread(apart.made, fleet_up, "hasty")
    told = fleet_up.env("auth") | _HASTE | {"DATABASE_URL": made.database_url}
    told.pop("PORT")
    folder = tmp_path_factory.mktemp("hasty")
    async with process("auth.main:create_app", told) as auth:
        made_haste = Gateway(fleet_up, auth.port, folder)
        made_haste.start()
        yield Hasty(made_haste, told)
        made_haste.stop()


@pytest.fixture
async def visitor(hasty: Hasty) -> AsyncIterator[Visitor]:
    """Somebody new at the gateway in haste."""
    name = f"p{uuid7().hex[-20:]}"
    sends = {
        "email": f"{name}@example.org",
        "username": name,
        "password": "correct horse",
        "tokenDelivery": "body",
    }
    async with httpx.AsyncClient(base_url=hasty.gateway.url, timeout=30) as client:
        await until(lambda: _is_there(client))
        answer = await client.post(f"{_AUTH}/register", json=sends)
        assert answer.status_code == 201, answer.text
        yield Visitor(client, answer.json()["data"])


async def _is_there(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/.well-known/jwks.json")).is_success
    except httpx.HTTPError:
        return False


async def test_a_key_is_replaced_while_people_work(hasty: Hasty, visitor: Visitor) -> None:
    client, first = visitor.client, visitor.kid
    assert await kids(client) == [first]
    await visitor.go_on()
    done = await operate(hasty.told, "rotate-signing-key")
    assert done.code == 0, done.err
    second = done.out.split()[0]
    both = {first: "", second: ""}

    async def is_next() -> bool:
        await visitor.go_on()
        both[visitor.kid] = visitor.tokens[-1]
        return visitor.kid == second

    await until(is_next)
    # the other still signs nobody's, and what it signed is good until it expires
    assert await kids(client) == [second, first]
    assert (await ask(client, both[first])).status_code == 200
    for known in both:
        for forged in _forgeries(both[second], known):
            assert code(await ask(client, forged)) == _UNKNOWN

    async def is_alone() -> bool:
        await visitor.go_on()
        return await kids(client) == [second]

    await until(is_alone, within_s=30)
    assert claims(both[first])["exp"] < time.time()
    assert {kid(token) for token in visitor.tokens} == {second}
    assert visitor.tokens


async def test_a_compromised_key_is_good_for_nothing_as_soon_as_it_is_known(
    hasty: Hasty, visitor: Visitor
) -> None:
    client = visitor.client
    for _ in range(_STOLEN):
        await visitor.refresh()
    seen, *unseen = visitor.tokens
    assert (await ask(client, seen)).status_code == 200
    done = await operate(hasty.told, "rotate-signing-key", "--now")
    assert done.code == 0, done.err
    [replacement] = await until(lambda: _without(client, kid(seen)))
    assert done.out.startswith(f"{replacement} signs")

    async def is_refused() -> bool:
        # one that the gateway has found good is good there until it expires
        await asyncio.sleep(_PAUSE_S)
        return code(await ask(client, unseen.pop())) == _UNKNOWN

    await until(is_refused)

    async def is_back() -> bool:
        await visitor.refresh()
        return visitor.kid == replacement and (await ask(client, visitor.tokens[-1])).is_success

    await until(is_back)
    hasty.gateway.stop()
    hasty.gateway.start()
    await until(lambda: _is_there(client))
    assert code(await ask(client, seen)) == _UNKNOWN
    assert (await ask(client, visitor.tokens[-1])).status_code == 200


async def _without(client: httpx.AsyncClient, gone: str) -> list[str]:
    found = await kids(client)
    return [] if gone in found else found


def _forgeries(token: str, known: str) -> list[str]:
    """Tokens that name a key and are not signed with it."""
    _, body, signature = token.split(".")
    none = _part({"alg": "none", "typ": "at+jwt", "kid": known})
    symmetric = f"{_part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': known})}.{body}"
    mac = hmac.digest(known.encode(), symmetric.encode(), hashlib.sha256)
    asymmetric = _part({"alg": "ES256", "typ": "at+jwt", "kid": known})
    return [
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{symmetric}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        f"{asymmetric}.{body}.{'A' * len(signature)}",
    ]


def _part(header: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(header)).rstrip(b"=").decode()
