"""People of one test, and the ways in which its tests call the service."""

from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import httpx
import msgspec
import sqlalchemy as sa

from auth.auditing import OPERATOR
from common.ids import uuid7
from common.testing import outboxes
from common.testing.apps import Client, identity
from common.testing.outboxes import Announced

BASE = "/api/v1/auth"
ADDRESS = "198.51.100.7"
PASSWORD = "correct horse battery"


class Person(msgspec.Struct, frozen=True):
    """Somebody who has registered, and is logged in with tokens in the body."""

    id: UUID
    session_id: str
    username: str
    email: str
    refresh_token: str
    access_token: str
    password: str = PASSWORD


class Desk:
    """The service, and in one test its people: nobody of another test."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.mark = uuid7().hex[-12:]
        self._count = 0

    async def call(
        self,
        method: str,
        path: str,
        who: Person | None = None,
        *,
        sends: object = None,
        **headers: str,
    ) -> httpx.Response:
        """Call a route as somebody, or as nobody in particular; a path of auth's may be short."""
        whole = path if path.startswith(("/api/", "/internal/", "/.well")) else f"{BASE}{path}"
        session = {"x_auth_session": who.session_id, "x_auth_method": "jwt"} if who else {}
        given = {"x_envoy_external_address": ADDRESS} | session | headers
        known = identity(self.client.secret, who.id if who else None, **given)
        answer = await self.client.request(method, whole, headers=known, json=sends)
        # every test brings its own cookies
        self.client.cookies.clear()
        return answer

    async def raw(
        self, path: str, body: bytes, content_type: str = "application/json"
    ) -> httpx.Response:
        """Send just these bytes."""
        headers = {"x-fleet-secret": self.client.secret, "content-type": content_type}
        return await self.client.post(f"{BASE}{path}", content=body, headers=headers)

    def registration(self, **fields: Any) -> dict[str, Any]:
        """What somebody new sends."""
        self._count += 1
        name = f"u{self.mark}-{self._count}"
        new = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
        return new | fields

    async def person(self, **fields: Any) -> Person:
        """Register somebody."""
        new = self.registration(tokenDelivery="body", **fields)
        answer = await self.call("POST", "/register", sends=new)
        assert answer.status_code == 201, answer.text
        return person(answer, new["password"])

    async def login(self, who: Person) -> Person:
        """Log somebody in once more."""
        sends = {"login": who.email, "password": who.password, "tokenDelivery": "body"}
        answer = await self.call("POST", "/login", sends=sends)
        assert answer.status_code == 200, answer.text
        return person(answer, who.password)

    async def refresh(self, token: str) -> httpx.Response:
        """Exchange a refresh token that travels in the body."""
        return await self.call("POST", "/refresh", sends={"refreshToken": token})

    async def is_live(self, token: str) -> bool:
        """Whether a refresh token is still good."""
        return (await self.refresh(token)).status_code == 200

    async def key(self, who: Person, **fields: Any) -> dict[str, Any]:
        """Make a key for machines."""
        sends = {"name": "ci", "scopes": ["builds:write"], **fields}
        answer = await self.call("POST", "/api-keys", who, sends=sends)
        assert answer.status_code == 201, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def authorized(self, key: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask as the gateway asks about a request with a key."""
        given = {"x_envoy_external_address": ADDRESS, "x_api_key": key} | headers
        known = identity(self.client.secret, None, **given)
        return await self.client.request(method, "/internal/authz/api/v1/any", headers=known)

    async def events(self, who: Person) -> list[Announced]:
        """What was announced about somebody."""
        return await outboxes.about(self.client.db, who.id)

    async def subjects(self, who: Person) -> list[str]:
        """The kinds of the events about somebody, in their order, without the service's name."""
        found = await self.events(who)
        return [event.subject.removeprefix("auth.").removesuffix(".v1") for event in found]

    async def run(self, statement: str, **values: object) -> None:
        """Change the database behind the service's back: time cannot be waited for."""
        await self.client.db.run(sa.text(statement).bindparams(**values))

    async def deeds(self, member: str, value: str) -> list[str]:
        """What operators have done to the service whose note has this in its details, in order."""
        statement = (
            "SELECT coalesce(json_agg(action ORDER BY at), '[]')::text AS value FROM"
            " (SELECT account_id, action, details, at FROM audit UNION ALL"
            " SELECT account_id, action, details, at FROM auth_audit.entry) AS noted"
            " WHERE account_id = :operator AND details->>:member = :value"
        )
        found = await self.one(statement, sa.Text(), operator=OPERATOR, member=member, value=value)
        return msgspec.json.decode(found, type=list[str])

    async def one[T](self, statement: str, kind: "sa.types.TypeEngine[T]", **values: object) -> T:
        """Read one value that no route tells."""
        column: sa.ColumnClause[T] = sa.column("value", kind)
        question = sa.text(statement).bindparams(**values).columns(column)
        return await self.client.db.one(sa.select(question.subquery().c.value), _same)


def _same[T](value: T) -> T:
    return value


def person(answer: httpx.Response, password: str) -> Person:
    """Whom an answer with tokens in its body is about."""
    data = answer.json()["data"]
    return Person(
        id=UUID(data["user"]["id"]),
        session_id=claims(data["accessToken"])["sid"],
        username=data["user"]["username"],
        email=data["user"]["email"],
        refresh_token=data["refreshToken"],
        access_token=data["accessToken"],
        password=password,
    )


def claims(token: str) -> dict[str, Any]:
    """What a token says; nobody has checked it."""
    return part(token, 1)


def part(token: str, number: int) -> dict[str, Any]:
    """One part of a token."""
    encoded = token.split(".")[number]
    decoded: dict[str, Any] = msgspec.json.decode(_decoded(encoded))
    return decoded


def _decoded(text: str) -> bytes:
    return msgspec.convert(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), bytes)


def cookies(answer: httpx.Response) -> "SimpleCookie":
    """The cookies that an answer sets, with their attributes."""
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return jar


def code(answer: httpx.Response) -> tuple[int, str]:
    """How an answer failed."""
    return answer.status_code, answer.json()["error"]["code"]


def faulty(answer: httpx.Response) -> list[str]:
    """Which fields an answer finds fault with."""
    assert code(answer) == (400, "VALIDATION_ERROR"), answer.text
    return sorted(detail["field"] for detail in answer.json()["error"]["details"])
