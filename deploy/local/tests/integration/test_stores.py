"""What the stores allow a service, and what they deny it."""

from collections.abc import Iterator

import asyncpg
import nats
import nats.errors
import pytest
import redis.asyncio
import redis.exceptions
from nats.aio.client import Client

from fleet.testing import Running, running


@pytest.fixture(scope="module")
def stores() -> Iterator[Running]:
    """Stores of these tests alone: what they publish and take is nobody else's."""
    with running(("stores",)) as started:
        yield started


async def connected(stores: Running, name: str, denied: list[str]) -> Client:
    async def note(error: Exception) -> None:
        denied.append(str(error))

    env = stores.env(name)
    return await nats.connect(
        env["NATS_URL"],
        user=env["NATS_USER"],
        password=env["NATS_PASSWORD"],
        inbox_prefix=f"_INBOX_{name}".encode(),
        error_cb=note,
    )


async def test_a_role_sees_its_own_schema_alone(stores: Running):
    connection = await asyncpg.connect(stores.env("projects")["DATABASE_URL"])
    try:
        assert await connection.fetchval("SELECT current_schema()") == "projects"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SELECT similarity('platform', 'plat form')") > 0
        await connection.execute("CREATE TABLE IF NOT EXISTS own (id int)")
        for statement in ("CREATE TABLE auth.theirs (id int)", "CREATE TABLE public.all_ (id int)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.execute("DROP TABLE own")
    finally:
        await connection.close()


async def test_a_role_connects_to_its_own_database_alone(stores: Running):
    url = stores.env("projects")["DATABASE_URL"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace("projects:", "auth:"))


async def test_a_service_publishes_below_its_own_name_alone(stores: Running):
    denied: list[str] = []
    client = await connected(stores, "projects", denied)
    stream = client.jetstream(timeout=1)
    try:
        sent = await stream.publish("projects.test.sent.v1", b"{}")
        assert sent.stream == "EVENTS"
        assert (await stream.publish("dead.projects.test", b"{}")).stream == "DEAD"
        with pytest.raises(nats.errors.TimeoutError):
            await stream.publish("auth.test.sent.v1", b"{}")
        assert "auth.test.sent.v1" in denied[0]
    finally:
        await client.close()


async def test_a_service_reads_through_its_own_durable_alone(stores: Running):
    denied: list[str] = []
    publisher = await connected(stores, "projects", denied)
    await publisher.jetstream().publish("projects.access.changed.v1", b"{}")
    await publisher.close()
    listener = await connected(stores, "assets", denied)
    stream = listener.jetstream(timeout=1)
    try:
        pull = await stream.pull_subscribe_bind(consumer="assets", stream="EVENTS")
        (message,) = await pull.fetch(1, timeout=2)
        assert message.subject == "projects.access.changed.v1"
        await message.ack_sync()
        await pull.unsubscribe()
        assert not denied
        theirs = await stream.pull_subscribe_bind(consumer="builds", stream="EVENTS")
        with pytest.raises(nats.errors.TimeoutError):
            await theirs.fetch(1, timeout=1)
        assert denied
    finally:
        await listener.close()


async def test_the_worker_takes_jobs(stores: Running):
    denied: list[str] = []
    client = await connected(stores, "builds", denied)
    stream = client.jetstream(timeout=1)
    try:
        await stream.publish("jobs.build.requested.v1", b"{}")
        pull = await stream.pull_subscribe_bind(consumer="builds", stream="JOBS")
        (message,) = await pull.fetch(1, timeout=2)
        await message.ack_sync()
        assert not denied
    finally:
        await client.close()


async def test_collab_follows_events_by_a_consumer_of_its_own(stores: Running):
    denied: list[str] = []
    client = await connected(stores, "collab", denied)
    stream = client.jetstream(timeout=2)
    publisher = await connected(stores, "projects", denied)
    try:
        await publisher.jetstream().publish("projects.file.written.v1", b"{}")
        ordered = await stream.subscribe("projects.file.>", stream="EVENTS", ordered_consumer=True)
        assert (await ordered.next_msg(timeout=2)).subject == "projects.file.written.v1"
        await ordered.unsubscribe()
        assert not denied
        with pytest.raises(nats.errors.TimeoutError):
            await stream.delete_consumer("EVENTS", "assets")
    finally:
        await publisher.close()
        await client.close()


async def test_a_user_of_the_cache_has_its_own_keys_alone(stores: Running):
    async with redis.asyncio.from_url(stores.env("assets")["REDIS_URL"]) as cache:
        await cache.set("assets:a", "1", ex=5)
        assert await cache.get("assets:a") == b"1"
        for key in ("auth:a", "a"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                await cache.get(key)
        with pytest.raises(redis.exceptions.NoPermissionError):
            await cache.flushall()


async def test_a_store_stops_and_comes_back(stores: Running):
    stores.stop("redis")
    async with redis.asyncio.from_url(stores.env("assets")["REDIS_URL"]) as cache:
        with pytest.raises(redis.exceptions.ConnectionError):
            await cache.get("assets:none")
        stores.start("redis")
        assert await cache.get("assets:none") is None


async def test_turns_are_counted(stores: Running, turns):
    connection = await asyncpg.connect(turns.url(stores.env("auth")["DATABASE_URL"]))
    try:
        statement = await connection.prepare("SELECT 1")
        turns.taken()
        await statement.fetchval()
        await statement.fetchval()
        assert turns.taken() == 2
    finally:
        await connection.close()
