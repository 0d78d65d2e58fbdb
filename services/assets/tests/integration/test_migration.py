"""What was there before there were versions has them afterwards."""

import subprocess
import sys

import asyncpg

from common.ids import uuid7
from fleet import services
from fleet.stores import postgres

UPGRADE = """
from alembic import command
from common import migrate
command.upgrade(migrate.config("assets"), "0002")
"""
INSERT = """
INSERT INTO asset (id, project_id, user_id, name, name_key, type, size, mime_type, sha256, metadata)
VALUES ($1, $2, $3, $4, $4, 'data', $5, 'text/plain', $6, '{"a": 1}')
"""


def run(command, environment):
    """Run a step of the fleet's, or of ours."""
    done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - the fleet's own programs
    assert done.returncode == 0, done.stderr.decode()


async def test_assets_that_are_there_have_their_bytes_counted_and_a_first_version(stores):
    context = stores.context
    roles = next(p for p in postgres.processes(context) if p.name == "postgres-roles")
    url = postgres.url(context, "assets", database="before_versions")
    run(roles.command, roles.environment | {"POSTGRES_DATABASE": "before_versions"})
    migration = services.migration(context, "assets")
    environment = migration.environment | {"DATABASE_URL": url}
    run((sys.executable, "-c", UPGRADE), environment)
    project, other, user = uuid7(), uuid7(), uuid7()
    ids = [uuid7() for _ in range(4)]
    connection = await asyncpg.connect(url)
    try:
        for asset, owner, name, size, sha256 in (
            (ids[0], project, "a", 10, "a" * 64),
            (ids[1], project, "b", 10, "a" * 64),
            (ids[2], project, "c", 5, "c" * 64),
            (ids[3], other, "a", 20_000_000_000, "a" * 64),
        ):
            await connection.execute(INSERT, asset, owner, user, name, size, sha256)
        run(migration.command, environment)
        counted = await connection.fetch("SELECT project_id, bytes, bytes_max FROM library")
        assert {tuple(row) for row in counted} == {
            (project, 15, 10_737_418_240),
            (other, 20_000_000_000, 20_000_000_000),
        }
        blobs = await connection.fetch("SELECT project_id, sha256, size FROM blob")
        assert {tuple(row) for row in blobs} == {
            (project, "a" * 64, 10),
            (project, "c" * 64, 5),
            (other, "a" * 64, 20_000_000_000),
        }
        first = await connection.fetch(
            "SELECT v.asset_id FROM asset_version v JOIN asset a ON a.id = v.asset_id"
            " WHERE (v.version, v.project_id, v.user_id, v.sha256, v.size, v.mime_type)"
            " = (1, a.project_id, a.user_id, a.sha256, a.size, a.mime_type)"
            " AND v.metadata = a.metadata AND v.created_at = a.created_at AND v.origin = 'upload'"
        )
        assert {row["asset_id"] for row in first} == set(ids)
        # a name that was deleted is free from now on, and no other
        await connection.execute("UPDATE asset SET deleted_at = now() WHERE id = $1", ids[0])
        await connection.execute(INSERT, uuid7(), project, user, "a", 1, "d" * 64)
    finally:
        await connection.close()
