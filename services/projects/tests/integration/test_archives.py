"""Whole projects out of an archive and into one: the same files, the same bytes, or nothing."""

import asyncio
import hashlib
import os
import zipfile
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from litestar.exceptions import LitestarException
from services.projects.tests.desk import Desk
from services.projects.tests.zips import Part, file_of, many, zipped

from common.errors import UnavailableError
from common.ids import uuid7
from common.testing.apps import Serving, identity
from projects.contents import service as contents
from projects.files.types import content_of
from projects.means import Means
from projects.tables import BlobRow

IMPORT = "/api/v1/projects/import"
ZIP = "application/zip"
TREE = {
    "index.html": b"<!doctype html>",
    "empty": b"",
    "src/été/木.ts": "let π = 3;\n".encode() * 400,
    "art/cat.png": bytes(range(256)) * 40,
    "art/dog.bin": bytes(range(256)) * 2_000,
    "copy/of/cat.png": bytes(range(256)) * 40,
}


async def put(desk: Desk, project: str, path: str, data: bytes) -> None:
    """Leave bytes at a path."""
    headers = identity(desk.client.secret, desk.owner, content_type="application/octet-stream")
    answer = await desk.client.put(f"{project}/files/{path}", content=data, headers=headers)
    assert answer.is_success, answer.text


async def filled(desk: Desk, tree: dict[str, bytes], **fields: Any) -> str:
    """A project that holds the tree."""
    project = await desk.project(**fields)
    for path, data in tree.items():
        await put(desk, project, path, data)
    return project


async def send(
    desk: Desk, content: Any, query: str = "", kind: str = ZIP, **headers: str
) -> httpx.Response:
    """Send an archive."""
    given = identity(desk.client.secret, desk.owner, content_type=kind, **headers)
    return await desk.client.post(f"{IMPORT}{query}", content=content, headers=given)


async def export(desk: Desk, project: str, query: str = "", **headers: str) -> httpx.Response:
    """Have a project as an archive."""
    answer = await desk.call("GET", f"{project}/export{query}", **headers)
    assert answer.is_success, answer.text
    return answer


async def tree_hash(desk: Desk, project: str) -> str:
    """What stands for all files of a project."""
    answer = await desk.call("GET", f"{project}/tree")
    found: str = answer.json()["data"]["hash"]
    return found


def opened(archive: bytes) -> dict[str, bytes]:
    """What another program finds in an archive."""
    with zipfile.ZipFile(file_of(archive)) as other:
        assert other.testzip() is None
        return {name: other.read(name) for name in other.namelist()}


async def owned(desk: Desk) -> int:
    """How many projects the owner has, in the trash or not."""
    count = 0
    for scope in ("owned", "trashed"):
        answer = await desk.call("GET", f"/api/v1/projects?scope={scope}&limit=100")
        count += len(answer.json()["data"])
    return count


def spooled() -> list[str]:
    """The temporary files that this process has open."""
    fds = Path("/proc/self/fd")
    links = [str(fd.readlink()) for fd in fds.iterdir() if fd.is_symlink()]
    return [link for link in links if link.endswith("(deleted)") and "/memfd" not in link]


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = spooled()
    yield
    assert spooled() == before


async def test_what_is_exported_is_imported_again(desk: Desk) -> None:
    project = await filled(desk, TREE)
    archive = (await export(desk, project)).content
    assert opened(archive) == TREE
    made = await send(desk, archive, "?name=Again")
    assert made.status_code == 201
    new = made.headers["location"]
    new_project = made.json()["data"]
    assert (new_project["name"], new_project["role"]) == ("Again", "owner")
    assert (new, new != project) == (f"/api/v1/projects/{new_project['id']}", True)
    assert await tree_hash(desk, new) == await tree_hash(desk, project)
    again = await export(desk, new)
    assert again.content == archive
    for path, data in TREE.items():
        raw = await desk.call("GET", f"{new}/files/{path}?raw=1")
        assert raw.content == data


async def test_an_empty_project_comes_and_goes(desk: Desk) -> None:
    archive = (await export(desk, await desk.project())).content
    assert opened(archive) == {}
    made = await send(desk, archive)
    assert (made.status_code, made.json()["data"]["name"]) == (201, "Imported project")
    assert await desk.tree(made.headers["location"]) == {}


async def test_an_export_says_what_it_is(desk: Desk) -> None:
    project = await filled(desk, TREE, name='Pong "2" / été')
    first, second = await export(desk, project), await export(desk, project)
    assert first.content == second.content
    digest = first.headers["repr-digest"]
    assert digest == second.headers["repr-digest"]
    assert b64decode(digest.removeprefix("sha-256=:").removesuffix(":")) == (
        hashlib.sha256(first.content).digest()
    )
    assert first.headers["content-length"] == str(len(first.content))
    assert first.headers["content-type"] == ZIP
    assert first.headers["content-disposition"] == (
        'attachment; filename="Pong _2_ _ _t_.zip"; '
        "filename*=UTF-8''Pong%20%222%22%20%2F%20%C3%A9t%C3%A9.zip"
    )
    etag = first.headers["etag"]
    known = await desk.call("GET", f"{project}/export", if_none_match=f'"other", {etag}')
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    head = await desk.call("HEAD", f"{project}/export")
    assert (head.status_code, head.content) == (200, b"")
    same = ("etag", "content-length", "repr-digest", "content-type", "content-disposition")
    assert {n: head.headers[n] for n in same} == {n: first.headers[n] for n in same}


async def test_an_export_can_be_had_in_parts(desk: Desk) -> None:
    project = await filled(desk, TREE)
    whole = await export(desk, project)
    etag, size = whole.headers["etag"], len(whole.content)
    part = await export(desk, project, "", range="bytes=100-199", if_range=etag)
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{size}"
    assert part.headers["repr-digest"] == whole.headers["repr-digest"]
    rest = await export(desk, project, "", range="bytes=-1000")
    assert rest.content == whole.content[-1000:]
    changed = await export(desk, project, "", range="bytes=0-9", if_range='"another"')
    assert (changed.status_code, changed.content) == (200, whole.content)
    beyond = await desk.call("GET", f"{project}/export", range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")


async def test_a_past_tree_is_exported(desk: Desk) -> None:
    project = await filled(desk, {"a.txt": b"first", "b.txt": b"stays"})
    before = await export(desk, project)
    await put(desk, project, "a.txt", b"second")
    await desk.call("DELETE", f"{project}/files/b.txt")
    assert opened((await export(desk, project)).content) == {"a.txt": b"second"}
    then = await export(desk, project, "?at=2")
    assert then.content == before.content
    assert then.headers["etag"] == before.headers["etag"]
    for at in ("3000", "yesterday"):
        refused = await desk.call("GET", f"{project}/export?at={at}")
        assert refused.json()["error"]["code"] == "VALIDATION_ERROR"


async def test_a_stranger_exports_what_is_public_only(desk: Desk) -> None:
    project = await filled(desk, {"a": b"1"})
    assert (await desk.call("GET", f"{project}/export", desk.stranger)).status_code == 404
    assert (await desk.client.call("GET", f"{project}/export")).status_code == 404
    await desk.call("PATCH", project, sends={"isPublic": True})
    assert (await desk.client.call("GET", f"{project}/export")).status_code == 200
    staffed = await desk.staffed()
    assert (await desk.call("GET", f"{staffed}/export", desk.viewer)).status_code == 200
    await desk.call("DELETE", project)
    assert (await desk.call("GET", f"{project}/export")).status_code == 404


@pytest.mark.parametrize(
    ("archive", "entry"),
    [
        (zipped(Part(b"a", b"1"), Part(b"../evil", b"x")), "../evil"),
        (zipped(Part(b"a", b"1"), Part(b"link", b"/etc/passwd", mode=0o120777)), "link"),
        (zipped(Part(b"a", b"1"), Part(b"b", b"data", local={"name": b"c"})), "b"),
        (zipped(Part(b"a", b"1"), Part(b"bomb", bytes(10_000_000), method=8)), "bomb"),
        (zipped(Part(b"a", b"1"), Part(b"A", b"2")), "A"),
        (zipped(Part(b"a", b"1"), Part(b"b", b"2", central={"crc": 0}, local={"crc": 0})), "b"),
        (many(1_000_000), None),
        (zipped(Part(b"a", b"1"))[:-1], None),
        (b"", None),
    ],
)
async def test_a_hostile_archive_leaves_nothing(desk: Desk, archive: bytes, entry: object) -> None:
    for content, kind in ((archive, ZIP), form(archive)):
        answer = await send(desk, content, kind=kind)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "UNSAFE_ARCHIVE")
        [detail] = error["details"]
        assert detail["entry"] == entry
    assert await owned(desk) == 0


def form(
    archive: bytes, filename: str | None = "game.zip", name: bytes | None = None
) -> tuple[bytes, str]:
    """A form that has the archive, and its media type."""
    saved = f'; filename="{filename}"' if filename is not None else ""
    body = f'--b\r\nContent-Disposition: form-data; name="file"{saved}\r\n\r\n'.encode()
    body += archive + b"\r\n"
    if name is not None:
        body += b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n' + name + b"\r\n"
    return body + b"--b--\r\n", "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("filename", "name", "query", "called"),
    [
        ("game.zip", None, "", "game"),
        ("C:\\games\\Pong.ZIP", None, "", "Pong"),
        ("../../x/été.zip", None, "", "été"),
        (".zip", None, "", "Imported project"),
        ("x" * 300, None, "", "x" * 100),
        ("game.zip", "木".encode(), "", "木"),
        ("game.zip", None, "?name=Asked", "Asked"),
        ("game.zip", b"Said", "?name=Asked", "Said"),
        (None, None, "", "Imported project"),
    ],
)
async def test_a_form_says_what_it_is_called(
    desk: Desk, filename: str | None, name: bytes | None, query: str, called: str
) -> None:
    content, kind = form(zipped(Part(b"a", b"1")), filename, name)
    made = await send(desk, content, query, kind)
    assert made.json()["data"]["name"] == called
    assert await desk.text(made.headers["location"], "a") == "1"


@pytest.mark.parametrize(
    ("content", "kind", "query", "status"),
    [
        (b"{}", "application/json", "", 415),
        (b"", "", "", 415),
        (b"x", "multipart/form-data", "", 415),
        (b"x", ZIP, "?name=", 400),
        (b"x", ZIP, "?name=a%00b", 400),
        (b"x", ZIP, f"?name={'x' * 101}", 400),
        (b"no form", "multipart/form-data; boundary=b", "", 400),
        (b"--b--\r\n", "multipart/form-data; boundary=b", "", 400),
        (form(b"x")[0][:-9], form(b"x")[1], "", 400),
        (form(b"x", name=b"")[0], form(b"x")[1], "", 400),
        (form(b"x", name=b"\xff")[0], form(b"x")[1], "", 400),
        (form(b"x", name=b"y" * 1_001)[0], form(b"x")[1], "", 413),
        (form(b"x")[0].replace(b'"file"', b'"other"'), form(b"x")[1], "", 400),
        (form(b"x")[0][:-7] + form(b"x")[0], form(b"x")[1], "", 400),
    ],
)
async def test_what_is_no_archive_is_refused(
    desk: Desk, content: bytes, kind: str, query: str, status: int
) -> None:
    answer = await send(desk, content, query, kind)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] != "UNSAFE_ARCHIVE"
    assert await owned(desk) == 0


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-zip-compressed"])
async def test_an_archive_goes_by_several_names(desk: Desk, kind: str) -> None:
    assert (await send(desk, zipped(Part(b"a", b"1")), kind=kind)).status_code == 201


async def test_a_key_for_one_project_imports_none(desk: Desk) -> None:
    scopes = {"x_auth_scopes": "projects:write projects:read", "x_auth_project": str(uuid7())}
    answer = await send(desk, zipped(Part(b"a")), **scopes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert (await desk.client.call("POST", IMPORT, content_type=ZIP)).status_code == 401


async def test_an_import_is_told_as_one(desk: Desk) -> None:
    archive = zipped(Part(b"a", b"1"), Part(b"b", b"2"), Part(b"c/", mode=0o40755))
    project = (await send(desk, archive)).headers["location"]
    subjects = await desk.subjects(project)
    assert subjects == ["project.created", "access.changed", "tree.filled"]
    [(_, told)] = await desk.news(project, 1)
    assert (told["origin"], told["files"]) == ("import", 2)


async def test_two_import_the_same_at_once(desk: Desk) -> None:
    files = [Part(b"%d" % n, uuid7().bytes * (1 if n % 2 else 20_000)) for n in range(40)]
    archive = zipped(*files)
    answers = await asyncio.gather(*[send(desk, archive) for _ in range(6)])
    assert [answer.status_code for answer in answers] == [201] * 6
    hashes = {await tree_hash(desk, answer.headers["location"]) for answer in answers}
    assert len(hashes) == 1


async def test_what_was_kept_for_an_import_that_failed_is_swept_away(serve: Serving) -> None:
    async with serve(INLINE_BYTES_MAX="1000", LOOSE_S="0") as client:
        means: Means = client.app.state.means
        kept = [content_of(uuid7().bytes * times, 100_000) for times in (1, 2, 100, 200)]
        await contents.deposit(means, kept)
        mine = sa.any_(sa.bindparam("hashes", type_=sa.ARRAY(sa.Text)))
        ours = sa.select(BlobRow.hash).where(BlobRow.hash == mine)
        hashes = [one.hash for one in kept]
        assert set(await client.db.all(ours, str, hashes=hashes)) == set(hashes)
        for one in kept[2:]:
            assert await contents.fetch(means, one.hash) == one.data
        for _ in range(3):
            while await contents.sweep(means):
                pass
        assert await client.db.all(ours, str, hashes=hashes) == []
        for one in kept[2:]:
            with pytest.raises(UnavailableError):
                await contents.fetch(means, one.hash)


async def test_an_import_with_a_key_happens_once(desk: Desk) -> None:
    archive = zipped(Part(b"a", b"1"))
    key = {"idempotency_key": uuid7().hex}
    first, second = await send(desk, archive, **key), await send(desk, archive, **key)
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json()["data"] == second.json()["data"]
    other = await send(desk, zipped(Part(b"b", b"1")), **key)
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await owned(desk) == 1


async def test_a_failed_import_with_a_key_leaves_nothing(desk: Desk) -> None:
    key = {"idempotency_key": uuid7().hex}
    assert (await send(desk, zipped(Part(b"../a")), **key)).status_code == 400
    assert await owned(desk) == 0


async def test_an_import_with_a_key_is_as_large_as_any_request_with_one(serve: Serving) -> None:
    async with serve(KEYED_BYTES_MAX="1000") as client:
        desk = Desk(client)
        archive = zipped(Part(b"a", bytes(range(256)) * 4))
        refused = await send(desk, archive, idempotency_key="k")
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert error["details"] == [{"limit": 1_000}]
        assert (await send(desk, archive)).status_code == 201


async def connected(
    desk: Desk, method: str, path: str, receive: Any, send: Any, **headers: str
) -> None:
    """Let the service serve a connection that does what an honest client would not."""
    given = identity(desk.client.secret, desk.owner, **headers)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("service", 80),
        "client": ("client", 1),
        "root_path": "",
    }
    await desk.client.app(scope, receive, send)  # type: ignore[arg-type]  # made by hand


async def test_an_upload_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    archive = zipped(Part(b"a", bytes(range(256)) * 8_000))
    for content, kind in ((archive, ZIP), form(archive)):
        half = {"type": "http.request", "body": content[: len(content) // 2], "more_body": True}
        messages = iter([half, {"type": "http.disconnect"}, {"type": "http.disconnect"}])
        told: list[Any] = []

        async def receive(messages: Any = messages) -> Any:
            return next(messages)

        async def send(message: Any, told: list[Any] = told) -> None:
            told.append(message)

        length = str(len(content))
        headers = {"content_type": kind, "content_length": length}
        await connected(desk, "POST", IMPORT, receive, send, **headers)
        assert told[0]["status"] == 400
    assert await owned(desk) == 0


async def test_who_hangs_up_while_it_comes_leaves_nothing(desk: Desk) -> None:
    project = await filled(desk, {f"{n}.bin": os.urandom(400_000) for n in range(4)})
    bodies = 0

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal bodies
        if message["type"] == "http.response.body":
            bodies += 1
            raise ConnectionResetError

    with pytest.raises(LitestarException):
        await connected(desk, "GET", f"{project}/export", receive, send)
    assert bodies == 1


async def test_there_are_limits_to_an_archive(serve: Serving) -> None:
    limits = {"IMPORT_BYTES_MAX": "5000", "IMPORT_ENTRIES_MAX": "3", "FILE_BYTES_MAX": "1000"}
    async with serve(**limits) as client:
        desk = Desk(client)
        large = zipped(Part(b"a", bytes(range(256)) * 20))

        async def pieces() -> AsyncIterator[bytes]:
            yield large

        for content in (large, pieces()):
            answer = await send(desk, content)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (413, "PAYLOAD_TOO_LARGE")
            assert error["details"] == [{"limit": 5_000}]
        content, kind = form(large)
        assert (await send(desk, content, kind=kind)).status_code == 413
        unsafe = await send(desk, zipped(Part(b"a", b"x" * 1_001)))
        assert unsafe.json()["error"]["details"][0]["entry"] == "a"
        unsafe = await send(desk, zipped(*[Part(b"%d" % n) for n in range(4)]))
        assert unsafe.json()["error"]["code"] == "UNSAFE_ARCHIVE"
        assert await owned(desk) == 0


async def test_an_import_keeps_to_the_quotas(serve: Serving) -> None:
    limits = {"FILES_PER_PROJECT_MAX": "2", "STORAGE_BYTES_MAX": "1500"}
    async with serve(**limits, PROJECTS_PER_USER_MAX="1") as client:
        desk = Desk(client)
        many_files = await send(desk, zipped(*[Part(b"%d" % n) for n in range(3)]))
        error = many_files.json()["error"]
        assert (many_files.status_code, error["code"]) == (403, "QUOTA_EXCEEDED")
        assert error["details"] == [{"limit": 2, "used": 0}]
        many_bytes = await send(desk, zipped(Part(b"a", b"x" * 900), Part(b"b", b"y" * 900)))
        assert many_bytes.json()["error"]["details"] == [{"limit": 1500, "used": 0}]
        assert await owned(desk) == 0
        twice = await send(desk, zipped(Part(b"a", b"x" * 900), Part(b"b", b"x" * 900)))
        assert twice.status_code == 201
        another = await send(desk, zipped(Part(b"a", b"x")))
        assert another.json()["error"]["code"] == "QUOTA_EXCEEDED"
        assert another.json()["error"]["details"] == [{"limit": 1, "used": 1}]
        assert await owned(desk) == 1


async def test_there_is_a_limit_to_an_export(serve: Serving) -> None:
    async with serve(EXPORT_BYTES_MAX="100") as client:
        desk = Desk(client)
        project = await filled(desk, {"a": b"x" * 60, "b": b"x" * 60})
        answer = await desk.call("GET", f"{project}/export")
        assert (answer.status_code, answer.json()["error"]["details"]) == (413, [{"limit": 100}])


async def test_who_comes_when_enough_are_under_way_is_told_to_come_back(serve: Serving) -> None:
    async with serve(ARCHIVES_OPEN_MAX="1") as client:
        desk = Desk(client)
        going, begun = asyncio.Event(), asyncio.Event()
        archive = zipped(Part(b"a", b"1"))

        async def slowly() -> AsyncIterator[bytes]:
            begun.set()
            await going.wait()
            yield archive

        first = asyncio.create_task(send(desk, slowly()))
        await begun.wait()
        refused = await send(desk, archive)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert refused.headers["retry-after"] == "5"
        going.set()
        assert (await first).status_code == 201
        assert (await send(desk, archive)).status_code == 201
