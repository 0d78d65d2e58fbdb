"""Where bytes are: small ones in rows, large ones in the object store, each once."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.errors import NotFoundError
from common.ids import uuid7
from common.testing.apps import Serving, identity
from projects.contents import service as contents
from projects.contents.types import BUCKET, key_of
from projects.files.types import Content
from projects.means import Means
from projects.tables import BlobRow, LooseBlobRow

INLINE_MAX = 1_000


@pytest.fixture
async def small(serve: Serving) -> AsyncGenerator[Desk]:
    """The service, where a thousand bytes are many."""
    async with serve(INLINE_BYTES_MAX=str(INLINE_MAX), LOOSE_S="0") as client:
        yield Desk(client)


def large() -> bytes:
    """Content that nobody else has, with bytes that are no text."""
    return uuid7().bytes * INLINE_MAX


def means(desk: Desk) -> Means:
    """What the service works with."""
    found: Means = desk.client.app.state.means
    return found


async def put(desk: Desk, path: str, data: bytes, user: UUID | None = None) -> int:
    """Leave bytes at a path; return the answer's status."""
    headers = identity(desk.client.secret, user or desk.owner, content_type="image/x-any")
    return (await desk.client.request("PUT", path, headers=headers, content=data)).status_code


async def is_stored(desk: Desk, data: bytes) -> bool:
    """Whether the object store has the bytes."""
    try:
        await means(desk).storage.head(BUCKET, key_of(hashlib.sha256(data).hexdigest()))
    except NotFoundError:
        return False
    return True


async def kept_in_row(desk: Desk, data: bytes) -> bool | None:
    """Whether a row has the bytes, ``None`` where no row speaks of them."""
    content_hash = hashlib.sha256(data).hexdigest()
    statement = sa.select(BlobRow.content.is_not(None)).where(BlobRow.hash == content_hash)
    return await desk.client.db.one_or_none(statement, bool)


async def swept(desk: Desk) -> None:
    """Sweep as often as anything can need."""
    for _ in range(3):
        while await contents.sweep(means(desk)):
            pass


async def test_large_content_is_the_object_stores(small: Desk) -> None:
    project, data = await small.project(), large()
    assert await put(small, f"{project}/files/big.bin", data) == 201
    assert await put(small, f"{project}/files/small.bin", b"\xff") == 201
    assert (await kept_in_row(small, data), await is_stored(small, data)) == (False, True)
    assert (await kept_in_row(small, b"\xff"), await is_stored(small, b"\xff")) == (True, False)
    raw = await small.call("GET", f"{project}/files/big.bin?raw=1")
    assert raw.content == data
    part = await small.call("GET", f"{project}/files/big.bin?raw=1", range="bytes=16-31")
    assert (part.status_code, part.content) == (206, data[16:32])
    shown = (await small.call("GET", f"{project}/files/big.bin")).json()["data"]
    assert (shown["encoding"], len(shown["content"])) == ("base64", (len(data) + 2) // 3 * 4)
    tag = raw.headers["etag"]
    known = await small.call("GET", f"{project}/files/big.bin", **{"if-none-match": tag})
    assert known.status_code == 304
    past = await small.call("GET", f"{project}/files/big.bin?at=1&raw=1")
    assert past.content == data


async def test_large_text_is_text_in_every_way_of_writing_it(small: Desk) -> None:
    project = await small.project()
    text = f"{uuid7()} ü " * INLINE_MAX
    assert (await small.put(project, "a.txt", text)).status_code == 201
    assert await small.text(project, "a.txt") == text
    other = f"{uuid7()} ö " * INLINE_MAX
    step = {"op": "create", "path": "b.txt", "content": other}
    assert (await small.batch(project, step)).status_code == 200
    assert await small.text(project, "b.txt") == other
    assert await is_stored(small, other.encode())
    inside = f"/internal/projects/{project.rpartition('/')[2]}/files/b.txt"
    assert (await small.client.call("GET", inside)).content == other.encode()


async def test_content_is_uploaded_for_those_alone_who_may_write(small: Desk) -> None:
    project, data = await small.staffed(), large()
    path = f"{project}/files/a"
    assert await put(small, path, data, small.viewer) == 403
    assert await put(small, path, data, small.stranger) == 404
    assert await put(small, f"/api/v1/projects/{uuid7()}/files/a", data) == 404
    assert not await is_stored(small, data)


async def test_what_a_project_has_is_not_sent_again(small: Desk) -> None:
    project, data = await small.project(), large()
    assert await put(small, f"{project}/files/a", data) == 201
    await means(small).storage.delete(BUCKET, key_of(hashlib.sha256(data).hexdigest()))
    assert await put(small, f"{project}/files/b", data) == 201
    assert not await is_stored(small, data)
    # and what the store has lost is not there, but nothing else is wrong
    assert (await small.call("GET", f"{project}/files/a?raw=1")).status_code == 503


async def test_what_no_project_has_goes_and_what_one_has_stays(small: Desk) -> None:
    first, second = await small.project(), await small.project()
    alone, shared, row = large(), large(), uuid7().bytes
    for data, name in ((alone, "alone"), (shared, "shared"), (row, "row")):
        assert await put(small, f"{first}/files/{name}", data) == 201
    assert await put(small, f"{second}/files/shared", shared) == 201
    await swept(small)
    assert [await is_stored(small, data) for data in (alone, shared)] == [True, True]
    assert (await small.call("DELETE", f"{first}?purge=true")).status_code == 204
    await swept(small)
    assert [await is_stored(small, data) for data in (alone, shared)] == [False, True]
    assert [await kept_in_row(small, data) for data in (alone, shared, row)] == [None, False, None]
    raw = await small.call("GET", f"{second}/files/shared?raw=1")
    assert raw.content == shared


async def test_an_upload_that_nobody_came_to_have_goes(small: Desk) -> None:
    data = large()
    content = Content(data, hashlib.sha256(data).hexdigest(), "base64")
    await contents.store(means(small), content)
    assert await is_stored(small, data)
    await swept(small)
    assert not await is_stored(small, data)
    left = sa.select(LooseBlobRow.hash).where(LooseBlobRow.hash == content.hash)
    assert await small.client.db.one_or_none(left, str) is None


async def test_sweeping_beside_writers_loses_nothing(small: Desk) -> None:
    data = [large() for _ in range(6)]
    for turn in range(4):
        old = await small.project()
        for number, one in enumerate(data):
            assert await put(small, f"{old}/files/{number}", one) == 201
        new = await small.project()

        async def write(project: str, number: int) -> int:
            return await put(small, f"{project}/files/{number}", data[number])

        _, *statuses = await asyncio.gather(
            small.call("DELETE", f"{old}?purge=true"),
            *[write(new, number) for number in range(len(data))],
            *[contents.sweep(means(small)) for _ in range(3)],
        )
        assert statuses[: len(data)] == [201] * len(data), turn
        await swept(small)
        for number, one in enumerate(data):
            raw = await small.call("GET", f"{new}/files/{number}?raw=1")
            assert raw.content == one
        assert (await small.call("DELETE", f"{new}?purge=true")).status_code == 204


async def test_without_the_object_store_small_files_go_on(serve: Serving) -> None:
    away = {"S3_ENDPOINT_URL": "http://127.0.0.1:1", "INLINE_BYTES_MAX": str(INLINE_MAX)}
    async with serve(**away) as client:
        desk = Desk(client)
        project = await desk.project()
        assert await put(desk, f"{project}/files/a", b"small") == 201
        answer = await desk.put(project, "b", "x" * 2 * INLINE_MAX)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert list(await desk.tree(project)) == ["a"]


async def test_many_large_files_at_once_do_not_wait_for_one_another(small: Desk) -> None:
    projects = [await small.project() for _ in range(2 * means(small).settings.pool_size)]

    async def write(number: int, project: str) -> int:
        step = {"op": "create", "path": "a", "content": f"{uuid7()}" * INLINE_MAX}
        if number % 2:
            return (await small.batch(project, step)).status_code
        sends = {"content": step["content"]}
        path = f"{project}/files/a"
        answer = await small.call("POST", path, sends=sends, idempotency_key=uuid7().hex)
        return 200 if answer.status_code == 201 else answer.status_code

    answers = await asyncio.gather(*[write(*one) for one in enumerate(projects)])
    assert set(answers) == {200}


async def test_an_object_store_that_says_nothing_is_not_waited_for(serve: Serving) -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        silent = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        values = {"S3_ENDPOINT_URL": silent, "S3_TIMEOUT_S": "0.2", "INLINE_BYTES_MAX": "1000"}
        async with serve(**values) as client:
            desk = Desk(client)
            project = await desk.project()
            answer = await desk.put(project, "a", "x" * 1_001)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
            step = {"op": "create", "path": "b", "content": "y" * 1_001}
            assert (await desk.batch(project, step)).status_code == 503
            assert (await desk.put(project, "c", "small")).status_code == 201
        server.close_clients()


async def test_a_batch_uploads_nothing_that_it_may_not_keep(serve: Serving) -> None:
    async with serve(STORAGE_BYTES_MAX="5000", INLINE_BYTES_MAX="1000") as client:
        desk = Desk(client)
        project = await desk.staffed()
        text = f"{uuid7()}" * 100
        steps = [
            {"op": "create", "path": f"{number}", "content": f"{number}{text}"}
            for number in range(2)
        ]
        answer = await desk.batch(project, *steps)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "QUOTA_EXCEEDED")
        assert error["details"][0] == {"limit": 5_000, "used": 0}
        sends = {"operations": steps[:1]}
        for user, status in ((desk.viewer, 403), (desk.stranger, 404)):
            answer = await desk.call("POST", f"{project}/files/batch", user, sends=sends)
            assert answer.status_code == status
        assert not await is_stored(desk, f"0{text}".encode())
        assert (await desk.batch(project, steps[0])).status_code == 200
        assert await is_stored(desk, f"0{text}".encode())
