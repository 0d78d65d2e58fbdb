"""What an editor may send: nothing of it takes a file away from the others, or a process."""

import asyncio

import asyncpg
import pytest

from collab.yjs import varints
from common.testing.waiting import until

# an item in an item of text, and one of another root
BRICK = b"\x01\x01\x4d\x00\x04\x00\x01\x00\x01X\x00"
ELSEWHERE = b"\x01\x01\x4d\x00\x04\x01\x05other\x01X\x00"
# of a client nothing of which came before
BEHIND_A_GAP = b"\x01\x01\x09\x05\x04\x01\x07content\x01X\x00"


async def send(client, update):
    """Send an update as it is."""
    await client.socket.send(b"\x00\x02" + varints.encode(len(update)) + update)


def knotted(count):
    """Items of one client, each before another character of one string: slow to put in order."""
    text = b"a" * (count + 1)
    long = b"\x01\xc8\x01\x00\x04\x01\x07content" + varints.encode(len(text)) + text
    parts = [b"\x02", long, varints.encode(count), b"\x64\x00"]
    parts += [b"\x44\xc8\x01" + varints.encode(at) + b"\x01X" for at in range(count)]
    return b"".join(parts) + b"\x00"


@pytest.mark.parametrize("update", [BRICK, ELSEWHERE])
async def test_what_cannot_be_in_a_text_closes_its_sender_alone(desk, update):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    good = await desk.open(project, "a.txt", desk.owner)
    bad = await desk.open(project, "a.txt", desk.editor)
    await send(bad, update)
    assert await bad.closed() == 4400
    await good.type(4, "!")
    await good.sync()
    assert await desk.read(project, "a.txt") == "text!"
    await desk.rest("POST", f"/projects/{project}/checkpoints", json={"name": "one"})


async def test_what_stands_behind_a_gap_is_asked_for_and_not_read(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    client = await desk.open(project, "a.txt", desk.editor)
    await send(client, BEHIND_A_GAP)
    await client.sync()
    assert await desk.read(project, "a.txt") == "text"
    await send(client, b"\x01\x01\x09\x00\x04\x01\x07content\x05-----\x00")
    await client.sync()
    assert sorted(await desk.read(project, "a.txt")) == sorted("text-----X")


async def test_what_was_refused_while_a_file_was_full_is_asked_for_again(
    desk_on, stores, service_env
):
    async with desk_on(service_env, stores, DOCUMENT_BYTES_MAX="40") as seat, seat() as desk:
        project = await desk.project()
        await desk.write(project, "a.txt", "")
        client = await desk.open(project, "a.txt", desk.editor)
        await client.type(0, "a" * 50)

        async def is_full():
            await client.type(0, "b")
            await client.sync()
            return client.denied

        await until(is_full)
        await client.cut(0, len(str(client.text)) - 5)

        async def is_known():
            await client.type(0, "IMPORTANT ")
            await client.cut(0, 5)
            await client.sync()
            return await desk.read(project, "a.txt") == str(client.text)

        await until(is_known)
        other = await desk.open(project, "a.txt", desk.owner)
        assert str(other.text) == str(client.text)


async def test_who_may_only_read_has_no_work_done(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    viewer = await desk.open(project, "a.txt", desk.viewer)
    ranges = b"".join(b"\x00\x01" for _ in range(20_000))
    await send(viewer, b"\x00\x01\x01" + varints.encode(20_000) + ranges)
    await viewer.until(lambda: viewer.denied)


async def test_a_document_that_is_too_slow_begins_anew_from_its_file(desk_on, stores, service_env):
    async with (
        desk_on(service_env, stores, WORKSHOP_CPU_S_MAX="1.0") as seat,
        seat() as desk,
    ):
        project = await desk.project()
        await desk.write(project, "a.txt", "text")
        await desk.write(project, "b.txt", "text")
        beside = await desk.open(project, "b.txt", desk.owner)
        client = await desk.open(project, "a.txt", desk.editor)
        old = client.doc.get_update()
        await send(client, knotted(8_000))
        assert await client.closed() == 4205
        # nobody else waited for it
        await beside.type(4, "!")
        await beside.sync()
        assert await desk.read(project, "b.txt") == "text!"

        async def is_readable():
            where = f"/api/v1/projects/{project}/files/a.txt"
            return (await desk.http.get(where, headers=desk.headers(desk.owner))).is_success

        await until(is_readable)
        assert await desk.read(project, "a.txt") == "text"
        again = await desk.open(project, "a.txt", desk.editor)
        assert str(again.text) == "text"
        await again.type(0, "my ")
        await again.sync()
        assert await desk.read(project, "a.txt") == "my text"
        # who has the old state brings nothing of it along
        ticket = desk.auth.ticket(desk.editor)
        late = desk.yjs(await desk.connect(f"/documents/{project}/a.txt?ticket={ticket}"))
        late.doc.apply_update(old)
        await late.ask()
        assert await late.closed() == 4205
        database = await desk.stack.enter_async_context(
            asyncpg.create_pool(service_env("collab")["DATABASE_URL"], min_size=1, max_size=1)
        )
        kept = await database.fetchval(
            "SELECT count(*) FROM spoiled_document WHERE project_id = $1", project
        )
        assert kept == 1
        await asyncio.sleep(1.5)
        assert await desk.read(project, "a.txt") == "my text"
