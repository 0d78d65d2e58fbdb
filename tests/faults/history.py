"""What the tables say: every change of a project in its order, and the trees that it makes."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from tests.faults.ledger import Tree

_ROWS = """
    SELECT seq, path, version, document_id, hash, size, moved_to, moved_from, at, xmin::text
    FROM projects.file_version WHERE project_id = $1 ORDER BY seq
"""
_HEAD = "SELECT seq, bytes, files FROM projects.head WHERE project_id = $1"
_COUNTED = """
    SELECT
        (SELECT coalesce(sum(size), 0) FROM projects.project_blob WHERE project_id = $1),
        (SELECT coalesce(sum(size), 0) FROM (
            SELECT DISTINCT hash, size FROM projects.file_version
            WHERE project_id = $1 AND hash IS NOT NULL) AS content),
        (SELECT count(*) FROM projects.file WHERE project_id = $1 AND hash IS NOT NULL)
"""
_FILES = "SELECT path, hash FROM projects.file WHERE project_id = $1 AND hash IS NOT NULL"
_OUTBOX = "SELECT id, subject, published_at FROM projects.outbox ORDER BY position"
_WAITING = "SELECT count(*) FROM projects.outbox WHERE published_at IS NULL"
_PROJECTS = "SELECT id, name FROM projects.project"
_ORPHANS = """
    SELECT count(*) FROM projects.project AS p WHERE NOT EXISTS (
        SELECT FROM projects.member WHERE project_id = p.id)
"""


class Row(msgspec.Struct, frozen=True):
    """One change of one file."""

    seq: int
    path: str
    version: int
    document_id: UUID
    hash: str | None
    size: int
    moved_to: str | None
    moved_from: str | None
    at: datetime
    commit: str


class Counted(msgspec.Struct, frozen=True):
    """A project's head, and the same counted anew."""

    seq: int
    bytes: int
    files: int
    bytes_of_contents: int
    bytes_of_versions: int
    files_there: int


class Tables:
    """The service's tables, as the database's own user reads them."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    async def rows(self, project_id: UUID) -> list[Row]:
        """Return every change of a project."""
        return [Row(*row) for row in await self._connection.fetch(_ROWS, project_id)]

    async def counted(self, project_id: UUID) -> Counted:
        """Return a project's head, and the same counted anew."""
        head = await self._connection.fetchrow(_HEAD, project_id) or (0, 0, 0)
        counted = await self._connection.fetchrow(_COUNTED, project_id)
        return Counted(*head, *(int(number) for number in counted))

    async def tree(self, project_id: UUID) -> Tree:
        """Return what is where now."""
        return dict(await self._connection.fetch(_FILES, project_id))

    async def announced(self) -> dict[UUID, tuple[str, bool]]:
        """Return every event of the outbox: its kind, and whether it has left."""
        found = await self._connection.fetch(_OUTBOX)
        return {row[0]: (row[1], row[2] is not None) for row in found}

    async def nothing_waits(self) -> bool:
        """Whether every event has left."""
        return not await self._connection.fetchval(_WAITING)

    async def projects(self) -> list[tuple[UUID, str]]:
        """Return every project and its name."""
        return [tuple(row) for row in await self._connection.fetch(_PROJECTS)]

    async def orphans(self) -> int:
        """Return how many projects are nobody's."""
        return int(await self._connection.fetchval(_ORPHANS))


def commits(rows: list[Row]) -> Iterator[list[Row]]:
    """Return the changes that were committed at once, in their order."""
    for _, part in groupby(rows, key=lambda row: row.commit):
        yield list(part)


def stepped(tree: Tree, rows: list[Row]) -> Tree:
    """Return the tree after some changes."""
    after = dict(tree)
    for row in rows:
        if row.hash is None:
            after.pop(row.path, None)
        else:
            after[row.path] = row.hash
    return after
