"""The ledger: it has everything once, nobody changes it, and whoever could is found out."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator

import asyncpg
import pytest
import sqlalchemy as sa
from services.auth.tests.apart import Apart
from services.auth.tests.desk import Desk

from auth.audit import service
from auth.tables import AuditRow, EntryRow
from common.testing.apps import Client, Serving
from common.testing.waiting import until

BATCH = 2
COUNT = sa.select(sa.func.count()).select_from(EntryRow)
NOTED = sa.select(AuditRow.id).order_by(AuditRow.at, AuditRow.id)
SEALED = (
    sa.select(EntryRow.id)
    .where(EntryRow.sequence > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(EntryRow.sequence)
)


@pytest.fixture(scope="module")
async def client(alone: Serving) -> AsyncGenerator[Client]:
    """The service, with a few entries in a ledger that nobody else writes to."""
    async with alone() as client:
        desk = Desk(client)
        for _ in range(3):
            await desk.person()
        while await service.seal(client.db, 4):
            pass
        yield client


async def sealed(client: Client) -> int:
    """How many entries there are."""
    return await client.db.one(COUNT, int)


async def test_what_was_noted_is_sealed_once_and_in_its_order(client: Client) -> None:
    before = await sealed(client)
    desk = Desk(client)
    for _ in range(5):
        await desk.person()
    noted = await client.db.all(NOTED, str)
    assert await sealed(client) == before
    # at most as many as are asked for at once
    assert await service.seal(client.db, 4) == 4
    assert await service.seal(client.db, len(noted)) == len(noted) - 4
    assert await service.seal(client.db, 4) == 0
    assert await client.db.all(SEALED, str, after=before) == noted
    found = await service.verify(client.db, BATCH, before + 1)
    assert (found.entries, found.fault) == (len(noted), None)


FORBIDDEN = [
    "UPDATE auth_audit.entry SET action = 'x'",
    "DELETE FROM auth_audit.entry",
    "TRUNCATE auth_audit.entry",
    "DROP TABLE auth_audit.entry",
    "DROP SCHEMA auth_audit CASCADE",
    "ALTER TABLE auth_audit.entry ADD COLUMN more text",
    "ALTER TABLE auth_audit.entry DISABLE TRIGGER ALL",
    "ALTER TABLE auth_audit.entry OWNER TO auth",
    "ALTER TABLE auth_audit.entry DROP CONSTRAINT entry_previous_key",
    "CREATE TRIGGER t BEFORE INSERT ON auth_audit.entry EXECUTE FUNCTION tsvector_update_trigger()",
    "CREATE RULE r AS ON INSERT TO auth_audit.entry DO INSTEAD NOTHING",
    "CREATE TABLE auth_audit.other (x int)",
    "SET ROLE auth_audit",
    "SET session_replication_role = replica",
    """INSERT INTO auth_audit.entry SELECT * FROM auth_audit.entry
    ON CONFLICT (sequence) DO UPDATE SET action = 'x'""",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_service_itself_may_only_add(
    client: Client, apart: Apart, statement: str
) -> None:
    assert await sealed(client)
    before = await service.verify(client.db, BATCH)
    connection = await asyncpg.connect(apart.database_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"permission|owner"):
            await connection.execute(statement)
        assert not await connection.fetchval(
            "SELECT has_table_privilege('auth_audit.entry', 'UPDATE, DELETE, TRUNCATE, TRIGGER')"
        )
    finally:
        await connection.close()
    assert await service.verify(client.db, BATCH) == before
    assert before.fault is None


# what a superuser does, and what is said of it
FOUND: dict[str, tuple[str, list[str]]] = {
    "another action": (
        "entry 3 is not",
        ["UPDATE entry SET action = 'x' WHERE sequence = 3"],
    ),
    "another account": (
        "entry 2 is not",
        ["UPDATE entry SET account_id = gen_random_uuid() WHERE sequence = 2"],
    ),
    "another actor": (
        "entry 1 is not",
        ["UPDATE entry SET actor_id = NULL WHERE sequence = 1"],
    ),
    "another moment": (
        "entry 4 is not",
        ["UPDATE entry SET at = at + interval '1 microsecond' WHERE sequence = 4"],
    ),
    "another address": (
        "entry 3 has another address",
        ["UPDATE entry SET address = '192.0.2.1' WHERE sequence = 3"],
    ),
    "other details": (
        "entry 3 has another address",
        ["""UPDATE entry SET details = details || '{"x": 1}' WHERE sequence = 3"""],
    ),
    "one is gone": (
        "entry 4 follows entry 2",
        ["DELETE FROM entry WHERE sequence = 3"],
    ),
    "the first is gone": (
        "entry 2 follows entry 0",
        ["DELETE FROM entry WHERE sequence = 1"],
    ),
    "one is gone, and the others moved up": (
        "entry 3 does not follow entry 2",
        [
            "DELETE FROM entry WHERE sequence = 3",
            "UPDATE entry SET sequence = -sequence WHERE sequence > 3",
            "UPDATE entry SET sequence = -sequence - 1 WHERE sequence < 0",
        ],
    ),
    "two in each other's place": (
        "entry 3 does not follow entry 2",
        [
            "UPDATE entry SET sequence = 0 WHERE sequence = 3",
            "UPDATE entry SET sequence = 3 WHERE sequence = 4",
            "UPDATE entry SET sequence = 4 WHERE sequence = 0",
        ],
    ),
    "one put in between": (
        "entry 4 is not",
        [
            # the table itself would not have it
            "ALTER TABLE entry DROP CONSTRAINT entry_previous_key",
            "UPDATE entry SET sequence = -sequence WHERE sequence > 3",
            "UPDATE entry SET sequence = 1 - sequence WHERE sequence < 0",
            """INSERT INTO entry SELECT 4, gen_random_uuid(), account_id, actor_id, action, address,
            user_agent, request_id, details, at, salt, personal, hash, sha256(hash)
            FROM entry WHERE sequence = 3""",
        ],
    ),
}


@pytest.mark.parametrize("what", FOUND)
async def test_what_a_superuser_changes_is_found(client: Client, apart: Apart, what: str) -> None:
    told, statements = FOUND[what]
    assert (await service.verify(client.db, BATCH)).fault is None
    async with apart.altered(*statements) as tx:
        found = await service.verify(tx, BATCH)
    assert found.fault is not None
    assert found.fault.startswith(told)


async def test_what_is_cut_off_at_the_end_is_found_by_a_head_that_was_kept(
    client: Client, apart: Apart
) -> None:
    head = (await service.verify(client.db, BATCH)).head
    cut = "DELETE FROM entry WHERE sequence = (SELECT max(sequence) FROM entry)"
    async with apart.altered(cut) as tx:
        assert (await service.verify(tx, BATCH)).fault is None
        found = await service.verify(tx, BATCH, known=head.hash)
        assert found.fault == "no entry has the head that was given"
    assert (await service.verify(client.db, BATCH, known=head.hash)).fault is None
    async with apart.altered("DELETE FROM entry") as tx:
        assert (await service.verify(tx, BATCH, known=head.hash)).fault is not None


async def test_a_walk_may_begin_anywhere(client: Client) -> None:
    whole = await service.verify(client.db, BATCH)
    for first in (1, 2, whole.head.sequence):
        found = await service.verify(client.db, BATCH, first)
        assert (found.entries, found.head, found.fault) == (
            whole.head.sequence - first + 1,
            whole.head,
            None,
        )
    beyond = await service.verify(client.db, BATCH, whole.head.sequence + 2)
    assert beyond.fault == f"entry {whole.head.sequence + 1} is missing"


async def test_replicas_that_seal_at_once_make_one_chain(client: Client, alone: Serving) -> None:
    before = await sealed(client)
    busy = {"AUDIT_SEAL_EVERY_S": "0.001", "AUDIT_SEAL_MAX": "3"}
    async with alone(**busy) as one, alone(**busy) as other:
        desks = [Desk(replica) for replica in (one, other)]
        await asyncio.gather(*[desk.person() for desk in desks * 12])

        async def is_done() -> bool:
            return not await client.db.all(NOTED, str)

        await until(is_done)
    found = await service.verify(client.db, BATCH)
    assert (found.entries, found.fault) == (await sealed(client), None)
    assert found.entries >= before + 2 * len(desks * 12)


async def test_who_dies_while_sealing_has_moved_nothing(client: Client, apart: Apart) -> None:
    before = await sealed(client)
    await Desk(client).person()
    noted = await client.db.all(NOTED, str)
    holder = await asyncpg.connect(apart.admin_url)
    try:
        held = holder.transaction()
        await held.start()
        await holder.execute("LOCK TABLE auth_audit.entry IN SHARE MODE")
        sealing = asyncio.create_task(service.seal(client.db, 10))

        async def waits() -> int | None:
            pid: int | None = await holder.fetchval(
                "SELECT pid FROM pg_locks"
                " WHERE relation = 'auth_audit.entry'::regclass AND NOT granted"
            )
            return pid

        # its notes are taken, and not yet where they belong
        await holder.fetchval("SELECT pg_terminate_backend($1)", await until(waits))
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await sealing
        await held.rollback()
    finally:
        await holder.close()
    assert await client.db.all(NOTED, str) == noted
    assert await service.seal(client.db, 10) == len(noted)
    assert await client.db.all(SEALED, str, after=before) == noted
    assert (await service.verify(client.db, BATCH)).fault is None


async def test_an_operator_verifies_by_command(
    client: Client, apart: Apart, told: dict[str, str]
) -> None:
    async def verified(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "auth", "verify-audit", *arguments],
            env=told | {"DATABASE_URL": apart.database_url},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    head = (await service.verify(client.db, BATCH)).head
    kept = head.hash.hex()
    assert await verified() == (0, f"{head.sequence} entries, head {kept}")
    assert await verified("--head", kept, "--from", "2") == (
        0,
        f"{head.sequence - 1} entries, head {kept}",
    )
    status, said = await verified("--head", "ff" * 32)
    assert (status, said.startswith("no entry has the head")) == (1, True)
    await apart.run("UPDATE entry SET address = address || 'x' WHERE sequence = 2")
    try:
        status, said = await verified()
        assert (status, said.startswith("entry 2 has another address")) == (1, True)
        assert said.partition("; before it ")[2].startswith("1 entries, head ")
    finally:
        await apart.run("UPDATE entry SET address = rtrim(address, 'x') WHERE sequence = 2")
    assert (await verified())[0] == 0
