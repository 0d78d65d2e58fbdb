"""People who type into files that are open live, while others call."""

from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

from services.collab.tests.conftest import Process as Program
from services.collab.tests.integration.conftest import Yjs
from services.projects.tests.desk import Desk, session
from websockets.asyncio.client import connect

from common.testing.processes import Process
from fleet.ports import LOOPBACK


class Studio:
    """The services, and in one test its people and projects: nobody of another test."""

    def __init__(self, desk: Desk, collab: Program, auth: Process) -> None:
        self.desk = desk
        self.stack = AsyncExitStack()
        self._collab = collab
        self._auth = auth
        self._tokens: dict[UUID, str] = {}

    async def project(self, **files: str) -> str:
        """Create a project that an editor may enter, with some files; return its path."""
        for role in ("owner", "editor"):
            user, token = await session(self._auth)
            setattr(self.desk, role, user)
            self._tokens[user] = token
        made = await self.desk.project()
        sends = {"userId": str(self.desk.editor), "role": "editor"}
        invited = await self.desk.call("POST", f"{made}/collaborators", sends=sends)
        assert invited.status_code == 201, invited.text
        for path, text in files.items():
            assert (await self.desk.put(made, path, text)).status_code == 201
        return made

    async def open(self, project: str, path: str, user: UUID | None = None) -> Yjs:
        """Open a file live, as the editor where nobody is named; it is in sync."""
        token = self._tokens[user or self.desk.editor]
        where = f"documents/{project.rpartition('/')[2]}/{path}?access_token={token}"
        opening = connect(
            f"ws://{LOOPBACK}:{self._collab.env['SOCKET_PORT']}/collab/v1/{where}",
            additional_headers={"x-fleet-secret": self._collab.env["FLEET_SECRET"]},
            proxy=None,
            max_size=None,
        )
        client = Yjs(await self.stack.enter_async_context(opening))
        await client.sync()
        return client

    async def typed(self, project: str, path: str, text: str, at: int = 0) -> Yjs:
        """Open a file live, and type into it: that is acknowledged, and not in the file yet."""
        client = await self.open(project, path)
        await client.type(at, text)
        await client.sync()
        return client

    async def versions(self, project: str, path: str) -> list[dict[str, Any]]:
        """What a file was, the newest first."""
        answer = await self.desk.call("GET", f"{project}/history/files/{path}")
        found: list[dict[str, Any]] = answer.json()["data"]
        return found
