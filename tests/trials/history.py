"""What the tables have of a file: every version, what was in it, and who it was."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from tests.trials.ledger import Ledger
from tests.trials.words import Word

_VERSIONS = """
    SELECT v.seq, v.path, v.version, v.hash, v.origin, v.actor_id, v.actors, b.content
    FROM projects.file_version v LEFT JOIN projects.blob b USING (hash)
    WHERE v.project_id = $1 AND v.document_id = (
        SELECT document_id FROM projects.file WHERE project_id = $1 AND path = $2)
    ORDER BY v.seq
"""
_LOG = """
    SELECT u.seq, u.actors, u.file_hash, length(u.data) AS bytes, u.created_at,
        d.snapshot_seq, d.written_seq, d.file_hash AS noted
    FROM projects.file f
    JOIN collab.document d ON d.id = f.document_id
    LEFT JOIN collab.document_update u ON u.document_id = d.id
    WHERE f.project_id = $1 AND f.path = $2 ORDER BY u.seq
"""
_HASH = "SELECT hash FROM projects.file WHERE project_id = $1 AND path = $2"
_MARKS = """
    SELECT f.path, m.epoch AS mark_epoch, m.flushed_seq, m.opened_at, d.written_seq,
        (SELECT max(seq) FROM collab.document_update WHERE document_id = d.id) AS last_seq,
        l.epoch AS lease_epoch, n.http_port AS owner, n.alive_until, now()
    FROM projects.live_file m LEFT JOIN projects.file f USING (document_id)
    LEFT JOIN collab.document d ON d.id = m.document_id
    LEFT JOIN collab.lease l ON l.project_id = m.project_id
    LEFT JOIN collab.node n ON n.id = l.node_id
    WHERE m.project_id = ANY($1)
"""


class Version(msgspec.Struct, frozen=True):
    """One change of the file."""

    seq: int
    path: str
    version: int
    hash: str | None
    origin: str
    actor_id: UUID
    actors: list[UUID] | None
    content: bytes | None


class Tables:
    """The tables of the projects service, as the database's own user reads them."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def versions(self, project: UUID, path: str) -> list[Version]:
        """Return every version of what is at a path now."""
        return [Version(*row) for row in await self._pool.fetch(_VERSIONS, project, path)]

    async def log(self, project: UUID, path: str) -> list[str]:
        """Return what collab has of a file, for who wants to know how it came."""
        return [str(dict(row)) for row in await self._pool.fetch(_LOG, project, path)]

    async def hash(self, project: UUID, path: str) -> str | None:
        """Return what is at a path now."""
        found: str | None = await self._pool.fetchval(_HASH, project, path)
        return found

    async def marks(self, projects: list[UUID]) -> list[str]:
        """Return which files are marked as open live, and what collab has of them."""
        return [str(dict(row)) for row in await self._pool.fetch(_MARKS, projects)]


def check(versions: list[Version], text: str, users: dict[str, str], ledger: Ledger) -> None:
    """The last version is the text, each is whole, and who typed is named.

    ``users`` says whose words are whose.
    """
    before: set[str] = set()
    for row in versions:
        content = "" if row.content is None else row.content.decode()
        if row.hash is not None:
            ledger.know(content)
        read = ledger.words.read(content)
        where = f"version {row.version} by {row.origin}"
        for fault in read.faults:
            ledger.fault(f"{where}: {fault} in {ledger.words.spelled(content)}")
        names = {word.name for word in read.words}
        if row.origin == "ws":
            _named(row, [word for word in read.words if word.name not in before], users, ledger)
        actors = _names(row, users)
        ledger.note("history", f"{row.seq} {where} {actors} {ledger.words.spelled(content)}")
        before = names
    last = versions[-1].content if versions else None
    if last is None or last.decode() != text:
        ledger.fault("The last version is not the text.")


def _named(row: Version, new: list[Word], users: dict[str, str], ledger: Ledger) -> None:
    named = {str(actor) for actor in row.actors or [row.actor_id]}
    if str(row.actor_id) not in named:
        ledger.fault(f"version {row.version}: its actor is not among those who typed")
    missing = ledger.typists - named
    unnamed = [word.name for word in new if users.get(word.author) in missing]
    if unnamed := [name for name in unnamed if not ledger.may_be_told_by_another(name)]:
        ledger.fault(f"version {row.version}: who typed {unnamed} is not named")
    if named - ledger.typists:
        ledger.fault(f"version {row.version} by {_names(row, users)}, not all of whom typed")


def _names(row: Version, users: dict[str, str]) -> list[str]:
    known = {user: name for name, user in users.items()}
    return [known.get(str(actor), str(actor)) for actor in row.actors or [row.actor_id]]
