"""What collab asks of projects about a file that is open live, call by call."""

import hashlib
from typing import Any
from uuid import UUID

import httpx
from services.projects.tests.desk import Desk

BYTES_MAX = 2_097_152


def digest(text: str) -> str:
    """The hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Live:
    """One project, as collab speaks of it."""

    def __init__(self, desk: Desk, project: str) -> None:
        self._desk = desk
        self._inside = f"/internal/projects/{project.rpartition('/')[2]}/live"

    async def ask(self, what: str, **sends: Any) -> httpx.Response:
        """Call one of the routes."""
        return await self._desk.client.call("POST", f"{self._inside}/{what}", sends=sends)

    async def open(self, path: str, epoch: int = 1, known: str | None = None) -> dict[str, Any]:
        """Mark a file as open live."""
        answer = await self.ask("open", path=path, epoch=epoch, known=known, bytesMax=BYTES_MAX)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def look(self, file_id: str, known: str | None = None) -> dict[str, Any]:
        """What a document's file is now."""
        answer = await self.ask("look", files=[{"fileId": file_id, "known": known}])
        assert answer.status_code == 200, answer.text
        [found] = answer.json()["files"]
        return dict(found)

    async def write(
        self,
        file_id: str,
        seq: int,
        expected: str,
        content: str,
        *actors: UUID,
        epoch: int = 1,
    ) -> str:
        """Write back what was typed upon a content; return its verdict."""
        wrote = await self.wrote(file_id, seq, expected, content, *actors, epoch=epoch)
        verdict: str = wrote["verdict"]
        return verdict

    async def wrote(
        self,
        file_id: str,
        seq: int,
        expected: str,
        content: str,
        *actors: UUID,
        epoch: int = 1,
    ) -> dict[str, Any]:
        """Write back what was typed upon a content; return all that became of it."""
        answer = await self.ask(
            "write",
            fileId=file_id,
            epoch=epoch,
            seq=seq,
            expected=digest(expected),
            content=content,
            actors=[str(actor) for actor in actors or [self._desk.owner]],
        )
        assert answer.status_code == 200, answer.text
        became: dict[str, Any] = answer.json()
        return became

    async def close(self, *file_ids: str, epoch: int = 1) -> int:
        """Take marks away; return how many went."""
        answer = await self.ask("close", fileIds=list(file_ids), epoch=epoch)
        closed: int = answer.json()["closed"]
        return closed
