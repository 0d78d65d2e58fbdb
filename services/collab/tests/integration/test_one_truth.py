"""A file that is open live is one text, whoever reads or writes it and by which way."""

import asyncio
import signal
from contextlib import suppress
from hashlib import sha256

import asyncpg
import pytest
from websockets.exceptions import ConnectionClosed

from common.testing.waiting import until


def tag(text: str) -> str:
    """The ETag of a file with this text."""
    return f'"{sha256(text.encode()).hexdigest()}"'


async def put(desk, project, path, text, **headers: str):
    """Put a file, and return the answer whatever it is."""
    named = {"content-type": "text/plain", **{k.replace("_", "-"): v for k, v in headers.items()}}
    where = f"/api/v1/projects/{project}/files/{path}"
    given = desk.headers(desk.owner) | named
    return await desk.http.put(where, content=text.encode(), headers=given)


async def history(desk, project, path):
    """A file's versions, the newest first."""
    answer = await desk.rest("GET", f"/projects/{project}/history/files/{path}")
    return answer.json()["data"]


async def test_what_was_acknowledged_is_read_over_http_at_once(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    for word in (" two", " three", " föur 😀"):
        await client.type(len(str(client.text).encode()), word)
        await client.sync()
        assert await desk.read(project, "a.txt") == str(client.text)


async def test_a_reader_who_has_the_live_text_gets_it_once(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, "!")
    await client.sync()
    where = f"/api/v1/projects/{project}/files/a.txt"
    headers = desk.headers(desk.viewer) | {"if-none-match": tag("one!")}
    assert (await desk.http.get(where, headers=headers)).status_code == 304
    headers["if-none-match"] = tag("one")
    assert (await desk.http.get(where, headers=headers)).status_code == 200


async def test_a_burst_of_typing_is_one_version_by_those_who_typed(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    one = await desk.open(project, "a.txt", desk.owner)
    two = await desk.open(project, "a.txt", desk.editor)
    for letter in "abc":
        await one.type(0, letter)
        await two.type(0, letter.upper())
    await asyncio.gather(one.sync(), two.sync())

    async def is_written():
        versions = await history(desk, project, "a.txt")
        return versions if len(versions) > 1 else None

    versions = await until(is_written)
    assert [one["origin"] for one in versions] == ["ws", "rest"]
    assert set(versions[0]["actors"]) == {str(desk.owner), str(desk.editor)}
    assert versions[0]["hash"] == tag(str(one.text)).strip('"')


async def test_a_write_merges_with_what_was_typed(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one\ntwo\nthree\n")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, " typed")
    await client.sync()
    answer = await put(desk, project, "a.txt", "one typed\ntwo\nthree put\n")
    assert answer.status_code == 200
    assert await desk.read(project, "a.txt") == "one typed\ntwo\nthree put\n"
    await client.until_text("one typed\ntwo\nthree put\n")


async def test_conditions_are_of_the_live_text(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, " typed")
    await client.sync()
    stale = await put(desk, project, "a.txt", "mine", if_match=tag("one"))
    assert stale.status_code == 412
    assert stale.headers["etag"] == tag("one typed")
    assert stale.json()["error"]["details"][0]["etag"] == tag("one typed").strip('"')
    fresh = await put(desk, project, "a.txt", "mine", if_match=tag("one typed"))
    assert (fresh.status_code, fresh.headers["etag"]) == (200, tag("mine"))
    # a repetition after a lost reply is no conflict
    again = await put(desk, project, "a.txt", "mine", if_match=tag("one typed"))
    assert again.status_code == 200
    assert again.json()["data"]["unchanged"]
    await client.until_text("mine")


async def test_many_writers_of_both_kinds_lose_nothing(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "".join(f"line {n}\n" for n in range(20)))
    clients = [await desk.open(project, "a.txt", desk.editor) for _ in range(3)]

    async def types(client, name):
        for number in range(15):
            await client.type(0, f"<{name}{number}>")
            await asyncio.sleep(0.01)
        await client.sync()

    async def puts(name):
        done = 0
        while done < 10:
            text = await desk.read(project, "a.txt")
            answer = await put(
                desk, project, "a.txt", f"{text}<{name}{done}>\n", if_match=tag(text)
            )
            assert answer.status_code in {200, 412}
            done += answer.status_code == 200

    typing = [types(client, name) for client, name in zip(clients, "xyz", strict=True)]
    await asyncio.gather(*typing, puts("r"), puts("s"))
    text = await desk.read(project, "a.txt")
    words = [f"<{name}{n}>" for name in "xyz" for n in range(15)]
    words += [f"<{name}{n}>" for name in "rs" for n in range(10)]
    assert {word: text.count(word) for word in words} == dict.fromkeys(words, 1)
    for client in clients:
        await client.until_text(text)


async def test_what_was_acknowledged_is_read_after_a_kill(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, " and all")
    await client.sync()
    await desk.collab.end(signal.SIGKILL)
    where = f"/api/v1/projects/{project}/files/a.txt"
    refused = await desk.http.get(where, headers=desk.headers(desk.owner))
    # rather nothing than an older text
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert refused.headers["retry-after"]
    await desk.collab.start()
    assert await desk.read(project, "a.txt") == "one and all"


async def test_what_a_killed_process_left_is_written_back_though_nobody_looks(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, " and all")
    await client.sync()
    await desk.collab.end(signal.SIGKILL)
    await desk.collab.start()

    async def is_written():
        versions = await history(desk, project, "a.txt")
        return versions[0]["hash"] == tag("one and all").strip('"')

    await until(is_written, within_s=20)


async def test_a_tree_shows_what_was_typed(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, "!")
    await client.sync()
    files = (await desk.rest("GET", f"/projects/{project}/files")).json()["data"]
    assert [file["hash"] for file in files] == [tag("one!").strip('"')]


@pytest.mark.parametrize("others", [0, 2])
async def test_a_checkpoint_comes_back_into_open_editors(desk, others):
    project = await desk.project()
    await desk.write(project, "a.txt", "good")
    clients = [await desk.open(project, "a.txt", desk.editor) for _ in range(1 + others)]
    await clients[0].type(4, " text")
    await clients[0].sync()
    kept = await desk.rest("POST", f"/projects/{project}/checkpoints", json={"name": "good"})
    await clients[0].cut(0, 9)
    await clients[0].type(0, "bad")
    await clients[0].sync()
    where = f"/projects/{project}/checkpoints/{kept.json()['data']['id']}/restore"
    await desk.rest("POST", where)
    for client in clients:
        await client.until_text("good text")
    assert await desk.read(project, "a.txt") == "good text"


async def test_a_file_that_comes_back_is_the_same_document(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "first")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(5, " typed")
    await client.sync()
    await desk.rest("DELETE", f"/projects/{project}/files/a.txt")
    assert await client.closed() == 4404
    await desk.write(project, "a.txt", "second")
    again = await desk.open(project, "a.txt", desk.editor)
    assert str(again.text) == "second"
    # who was away meanwhile brings nothing of the old text along
    again.doc.apply_update(client.doc.get_update())
    assert str(again.text) == "second"


async def test_who_reads_while_a_file_is_deleted_sees_it_or_that_it_is_gone(desk):
    project = await desk.project()
    for number in range(8):
        path = f"{number}.txt"
        await desk.write(project, path, "text")
        client = await desk.open(project, path, desk.editor)
        where = f"/api/v1/projects/{project}/files/{path}"
        headers = desk.headers(desk.owner)

        async def typed(client=client):
            with suppress(ConnectionClosed):
                for _ in range(200):
                    await client.type(0, "x")
                    await asyncio.sleep(0.001)

        async def read(late_s, where=where, headers=headers):
            await asyncio.sleep(late_s)
            return (await desk.http.get(where, headers=headers)).status_code

        deleted = desk.http.delete(where, headers=headers)
        reads = [read(late / 100) for late in range(12)]
        _, answer, *found = await asyncio.gather(typed(), deleted, *reads)
        assert answer.status_code == 204
        assert set(found) <= {200, 404}


async def test_a_file_without_readers_is_not_live_any_more(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(3, "!")
    await client.sync()
    await client.socket.close()

    async def is_closed():
        # collab is not needed for it any more
        await desk.collab.end(signal.SIGKILL)
        where = f"/api/v1/projects/{project}/files/a.txt"
        answer = await desk.http.get(where, headers=desk.headers(desk.owner))
        await desk.collab.start()
        return answer.status_code == 200 and answer.json()["data"]["content"] == "one!"

    await asyncio.sleep(1.5)
    assert await is_closed()


async def test_a_file_is_no_longer_live_once_projects_is_back(desk, service_env):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    client = await desk.open(project, "a.txt", desk.editor)
    database = await desk.stack.enter_async_context(
        asyncpg.create_pool(service_env("projects")["DATABASE_URL"], min_size=1, max_size=1)
    )

    async def marks():
        return await database.fetchval(
            "SELECT count(*) FROM live_file WHERE project_id = $1", project
        )

    assert await marks() == 1
    await desk.projects.end(signal.SIGKILL)
    try:
        await client.socket.close()
        # until collab let go of the document, and could not say so
        await asyncio.sleep(1.5)
        assert await marks() == 1
    finally:
        await desk.projects.start()

    async def is_unmarked():
        return await marks() == 0

    await until(is_unmarked)


async def test_an_editor_that_has_another_file_s_text_drops_it_first(desk):
    project = await desk.project()
    for text in ("", "long ago"):
        await desk.write(project, "a.txt", text)
        away = await desk.open(project, "a.txt", desk.editor)
        await away.socket.close()
        operations = [{"op": "move", "path": "a.txt", "to": f"b{len(text)}.txt"}]
        await desk.rest("POST", f"/projects/{project}/files/batch", json={"operations": operations})
        await desk.write(project, "a.txt", "now")
        ticket = desk.auth.ticket(desk.editor)
        back = desk.yjs(await desk.connect(f"/documents/{project}/a.txt?ticket={ticket}"))
        back.doc.apply_update(away.doc.get_update())
        await back.ask()
        assert await back.closed() == 4205
        assert str((await desk.open(project, "a.txt", desk.owner)).text) == "now"


async def test_an_editor_that_typed_before_it_was_in_sync_is_welcome(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    ticket = desk.auth.ticket(desk.editor)
    early = desk.yjs(await desk.connect(f"/documents/{project}/a.txt?ticket={ticket}"))
    await early.type(0, "early ")
    await early.sync()
    assert str(early.text) in {"early text", "textearly "}
    assert await desk.read(project, "a.txt") == str(early.text)


async def test_a_file_that_is_no_text_any_more_is_read_as_it_is(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "text")
    client = await desk.open(project, "a.txt", desk.editor)
    await client.type(4, "!")
    await client.sync()
    await desk.rest("PUT", f"/projects/{project}/files/a.txt", content=b"\x00\xff")
    assert await client.closed() == 4404
    answer = await desk.rest("GET", f"/projects/{project}/files/a.txt?raw=1")
    assert answer.content == b"\x00\xff"
    history_now = await history(desk, project, "a.txt")
    assert [one["origin"] for one in history_now] == ["rest", "ws", "rest"]
