"""What a client does with whole projects: makes, imports and copies them, each once."""

import asyncio
import io
import zipfile
from urllib.parse import quote
from uuid import UUID

from tests.faults.client import Client
from tests.faults.door import Reply
from tests.faults.ledger import Made, digest
from tests.faults.steps import Step

_FILES_MAX = 12
_SHRINKS_BYTES_MAX = 2_000
_PROJECTS = "/api/v1/projects"
_LOOK_S = 0.3


class Maker:
    """Makes projects, and notes which."""

    def __init__(self, made: Made) -> None:
        self._made = made

    def steps(self) -> list[tuple[Step, int]]:
        """Return what clients do, and how often each of it."""
        return [(self.make, 2), (self.bring, 8), (self.copy, 3)]

    async def make(self, client: Client) -> None:
        """Make an empty one."""
        name = f"Made {client.stamp()}"
        self._made.trees[name] = {}
        reply = await client.door.ask(
            "POST", _PROJECTS, sends={"name": name}, headers=_keyed(client)
        )
        if client.expect(reply, {201}, "POST project"):
            client.tally.counts["projects"] += 1
            self._made.acknowledged[name] = UUID(reply.data["id"])

    async def bring(self, client: Client) -> None:
        """Import one from an archive."""
        name = f"Brought {client.stamp()}"
        files = {
            f"{'src/' if n % 2 else ''}{n}.txt": client.content(f"{name} ")
            for n in range(client.dice.randint(2, _FILES_MAX))
        }
        self._made.trees[name] = {path: digest(text) for path, text in files.items()}
        reply = await client.door.ask(
            "POST",
            f"{_PROJECTS}/import?name={quote(name)}",
            data=_zip(files),
            headers={"content-type": "application/zip"} | _keyed(client),
        )
        if client.expect(reply, {201}, "import"):
            client.tally.counts["imports"] += 1
            self._made.acknowledged[name] = UUID(reply.data["id"])
            self._made.brought[client.number].append(name)

    async def copy(self, client: Client) -> None:
        """Copy one that was imported, in a while or at once."""
        # of a project that nobody changes: what the copy must hold is certain
        if not self._made.brought[client.number]:
            return
        source = client.dice.choice(self._made.brought[client.number])
        name = f"Copied {client.stamp()}"
        self._made.trees[name] = self._made.trees[source]
        way = client.dice.choice(["duplicate", "fork"])
        reply = await client.door.ask(
            "POST",
            f"{_PROJECTS}/{self._made.acknowledged[source]}/{way}",
            sends={"name": name},
            headers=_keyed(client),
        )
        if not client.expect(reply, {202 if way == "duplicate" else 201}, way):
            return
        project_id = await _done(client, reply) if way == "duplicate" else reply.data["id"]
        if project_id is not None:
            client.tally.counts["copies"] += 1
            self._made.acknowledged[name] = UUID(project_id)


async def _done(client: Client, asked: Reply) -> str | None:
    """Wait for a job's end; return the project that it made."""
    while True:
        job = await client.door.ask("GET", f"{_PROJECTS}/jobs/{asked.data['id']}")
        if not client.expect(job, {200}, "GET job"):
            return None
        if job.data["completedAt"]:
            if job.data["status"] != "complete":
                client.tally.fault("failed jobs", str(job.data))
                return None
            made: str = job.data["result"]["projectId"]
            return made
        await asyncio.sleep(_LOOK_S)


def _keyed(client: Client) -> dict[str, str]:
    return {"idempotency-key": client.door.key()}


def _zip(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            # what shrinks too much would look like a bomb
            is_short = len(text) <= _SHRINKS_BYTES_MAX
            archive.writestr(path, text, zipfile.ZIP_DEFLATED if is_short else zipfile.ZIP_STORED)
    return made.getvalue()
