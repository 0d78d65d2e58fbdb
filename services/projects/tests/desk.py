"""People and projects of one test, and the ways in which its tests call the service."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec

from common.contracts.base import CloudEvent, Event
from common.ids import uuid7
from common.testing import outboxes
from common.testing.apps import Client
from common.testing.outboxes import Announced
from common.testing.processes import Process
from projects.members import repository as members


class Desk:
    """The service, and in one test its people and projects: nobody of another test."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.owner = uuid7()
        self.editor = uuid7()
        self.commenter = uuid7()
        self.viewer = uuid7()
        self.stranger = uuid7()

    async def call(
        self,
        method: str,
        path: str,
        user: UUID | None = None,
        /,
        *,
        sends: object = None,
        **headers: str,
    ) -> httpx.Response:
        """Call a route as a user; the owner where none is named."""
        return await self.client.call(method, path, user or self.owner, sends=sends, **headers)

    async def project(self, **fields: Any) -> str:
        """Create a project, and return its path."""
        answer = await self.call("POST", "/api/v1/projects", sends={"name": "Pong", **fields})
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def staffed(self, **fields: Any) -> str:
        """Create a project with an editor, a commenter and a viewer; return its path."""
        path = await self.project(**fields)
        project_id = UUID(path.rpartition("/")[2])
        for role in ("editor", "commenter", "viewer"):
            user = getattr(self, role)
            await members.add(self.client.db, project_id, user, role, role, role.title())
        return path

    async def put(
        self, project: str, path: str, content: str, user: UUID | None = None, /, **headers: str
    ) -> httpx.Response:
        """Leave text at a path."""
        sends = {"content": content}
        return await self.call("PUT", f"{project}/files/{path}", user, sends=sends, **headers)

    async def text(self, project: str, path: str) -> str | None:
        """What is at a path."""
        answer = await self.call("GET", f"{project}/files/{path}")
        return answer.json()["data"]["content"] if answer.is_success else None

    async def batch(self, project: str, *operations: dict[str, Any], **more: Any) -> httpx.Response:
        """Take several steps at once."""
        sends = {"operations": list(operations), **more}
        return await self.call("POST", f"{project}/files/batch", sends=sends)

    async def tree(self, project: str, query: str = "") -> dict[str, str | None]:
        """The paths of a project, and the hash of what is there."""
        answer = await self.call("GET", f"{project}/tree?{query}")
        return {e["path"]: e.get("hash") for e in answer.json()["data"]["entries"]}

    async def events(self, project: str) -> list[Announced]:
        """What was announced about a project."""
        return await outboxes.about(self.client.db, project.rpartition("/")[2])

    async def news(self, project: str, count: int) -> list[tuple[str, dict[str, Any]]]:
        """The last events of a project."""
        found = (await self.events(project))[-count:]
        return [(event.subject.removeprefix("projects."), event.data) for event in found]

    async def subjects(self, project: str) -> list[str]:
        """The kinds of the events of a project, in their order, without the service's name."""
        found = await self.events(project)
        return [event.subject.removeprefix("projects.").removesuffix(".v1") for event in found]


def told(fact: Event, user: UUID, event_id: UUID | None = None, day: int = 1) -> bytes:
    """An event as it comes from JetStream."""
    event = CloudEvent(
        id=event_id or uuid7(),
        source="/auth",
        type=fact.subject,
        subject=str(user),
        time=datetime(2026, 1, day, tzinfo=UTC),
        data=fact,
        requestid="request-of-auth",
    )
    return msgspec.json.encode(event)


async def registered(auth: Process) -> dict[str, Any]:
    """A new account."""
    user: dict[str, Any] = (await _registered(auth))["user"]
    return user


async def session(auth: Process) -> tuple[UUID, str]:
    """A new account that has come in, and its token."""
    made = await _registered(auth)
    return UUID(made["user"]["id"]), made["accessToken"]


async def _registered(auth: Process) -> dict[str, Any]:
    name = f"u{uuid7().hex[-20:]}"
    new = {"email": f"{name}@example.org", "username": name, "password": "correct horse battery"}
    made = await auth.call("POST", "/api/v1/auth/register", sends=new)
    data: dict[str, Any] = made.json()["data"]
    return data
