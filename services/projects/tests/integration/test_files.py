"""Files through HTTP: read and written, conditions, bytes, lists, trees."""

import asyncio
import base64
import hashlib

import pytest
from services.projects.tests.desk import Desk

PNG = b"\x89PNG\r\n\x1a\n\x00\x01\xff" + bytes(range(256))


def tag(content: str | bytes) -> str:
    """The ETag of a content."""
    data = content.encode() if isinstance(content, str) else content
    return f'"{hashlib.sha256(data).hexdigest()}"'


async def test_the_life_of_a_file(desk: Desk) -> None:
    project = await desk.project()
    file = f"{project}/files/src/main.ts"
    new = await desk.put(project, "src/main.ts", "one")
    assert (new.status_code, new.json()["data"]["version"]) == (201, 1)
    second = await desk.put(project, "src/main.ts", "two")
    assert (second.status_code, second.headers["etag"]) == (200, tag("two"))
    same = await desk.put(project, "src/main.ts", "two")
    assert (same.status_code, same.json()["data"]["unchanged"]) == (200, True)
    shown = await desk.call("GET", file)
    data = shown.json()["data"]
    assert (data["content"], data["encoding"], data["version"]) == ("two", "utf-8", 2)
    assert (data["size"], f'"{data["hash"]}"') == (3, tag("two"))
    assert (data["updatedBy"], data["path"]) == (str(desk.owner), "src/main.ts")
    assert (shown.headers["etag"], shown.headers["cache-control"]) == (tag("two"), "no-cache")

    clash = await desk.call("POST", file, sends={"content": "three"})
    assert (clash.status_code, clash.json()["error"]["code"]) == (409, "FILE_EXISTS")
    assert (await desk.call("DELETE", file)).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await desk.call(method, file)).json()["error"]["code"] == "NOT_FOUND"
    again = await desk.call("POST", file, sends={"content": "four"})
    assert (again.status_code, again.json()["data"]["version"]) == (201, 4)
    assert again.headers["location"] == file
    assert (await desk.subjects(project))[2:] == [
        "file.created",
        "file.updated",
        "file.deleted",
        "file.created",
    ]
    facts = [e.data for e in await desk.events(project)][2:]
    assert [f["version"] for f in facts] == [1, 2, 3, 4]
    assert {f["origin"] for f in facts} == {"rest"}


async def test_a_location_can_be_followed(desk: Desk) -> None:
    project = await desk.project()
    made = await desk.call(
        "POST", f"{project}/files/bilder/groß und klein %.txt", sends={"content": "x"}
    )
    assert made.status_code == 201
    followed = await desk.call("GET", made.headers["location"])
    assert followed.json()["data"]["path"] == "bilder/groß und klein %.txt"


@pytest.mark.parametrize("form", ['"{}"', "{}", 'W/"{}"', ' "{}" '])
async def test_who_has_the_content_does_not_get_it_again(desk: Desk, form: str) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "hello")
    known = form.format(tag("hello").strip('"'))
    file = f"{project}/files/a.txt"
    for path in (file, f"{file}?raw=1"):
        # another session, another day: the tag is of the content alone
        answer = await desk.call("GET", path, if_none_match=known, x_auth_session="another")
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag("hello")
    fresh = await desk.call("GET", file, if_none_match=tag("other"))
    assert fresh.status_code == 200
    written = await desk.put(project, "a.txt", "next", if_match=known)
    assert written.status_code == 200


async def test_a_write_may_ask_how_the_file_is(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "one")
    await desk.put(project, "a.txt", "two")
    for headers in ({"if_match": tag("one")}, {"if_none_match": "*"}):
        refused = await desk.put(project, "a.txt", "three", **headers)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (412, "PRECONDITION_FAILED")
        assert refused.headers["etag"] == tag("two")
        [details] = error["details"]
        assert details["etag"] == tag("two").strip('"')
        assert (details["updatedBy"], details["updatedAt"][-1]) == (str(desk.owner), "Z")
    gone = await desk.call("DELETE", f"{project}/files/a.txt", if_match=tag("one"))
    assert gone.status_code == 412
    assert await desk.text(project, "a.txt") == "two"
    assert (await desk.put(project, "a.txt", "3", if_match="*")).status_code == 200
    assert (await desk.put(project, "new.txt", "3", if_match="*")).status_code == 412
    assert (await desk.put(project, "new.txt", "3", if_match=tag("3"))).status_code == 412
    assert (await desk.put(project, "new.txt", "3", if_none_match="*")).status_code == 201
    gone = await desk.call("DELETE", f"{project}/files/a.txt", if_match=tag("3"))
    assert gone.status_code == 204


async def test_a_retry_after_a_lost_reply_is_no_conflict(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "one")
    first = await desk.put(project, "a.txt", "two", if_match=tag("one"))
    second = await desk.put(project, "a.txt", "two", if_match=tag("one"))
    assert (first.status_code, second.status_code) == (200, 200)
    assert "unchanged" not in first.json()["data"]
    assert second.json()["data"]["unchanged"] is True
    assert second.json()["data"]["version"] == 2
    assert (await desk.subjects(project))[2:] == ["file.created", "file.updated"]


async def test_independent_paths_do_not_meet(desk: Desk) -> None:
    project = await desk.project()
    writes = [desk.put(project, f"d{n % 7}/f{n}.txt", f"content {n}") for n in range(100)]
    answers = await asyncio.gather(*writes)
    assert {a.status_code for a in answers} == {201}
    assert len(await desk.tree(project)) == 100
    assert (await desk.subjects(project)).count("file.created") == 100
    reads = await asyncio.gather(*[desk.text(project, f"d{n % 7}/f{n}.txt") for n in range(100)])
    assert reads == [f"content {n}" for n in range(100)]


async def test_one_path_has_a_version_for_each_write(desk: Desk) -> None:
    project = await desk.project()
    answers = await asyncio.gather(*[desk.put(project, "a", f"{n}") for n in range(20)])
    assert {a.status_code for a in answers} <= {200, 201}
    versions = sorted(a.json()["data"]["version"] for a in answers)
    assert versions == list(range(1, 21))
    announced = [e.data["version"] for e in (await desk.events(project))[2:]]
    assert announced == list(range(1, 21))


async def test_bytes_are_kept_as_they_are(desk: Desk) -> None:
    project = await desk.project()
    file = f"{project}/files/img/ball.png"
    headers = {"x-fleet-secret": desk.client.secret, "x-user-id": str(desk.owner)}
    sent = await desk.client.put(
        file, content=PNG, headers={**headers, "content-type": "image/png"}
    )
    assert (sent.status_code, sent.json()["data"]["encoding"]) == (201, "base64")
    data = (await desk.call("GET", file)).json()["data"]
    assert (base64.b64decode(data["content"]), data["encoding"]) == (PNG, "base64")
    for query, more in (("?raw=1", {}), ("", {"accept": "application/octet-stream"})):
        raw = await desk.call("GET", f"{file}{query}", **more)
        assert (raw.content, raw.headers["etag"]) == (PNG, tag(PNG))
        assert raw.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in raw.headers["content-security-policy"]
    part = await desk.call("GET", f"{file}?raw=1", range="bytes=1-3")
    assert (part.status_code, part.content) == (206, b"PNG")
    assert part.headers["content-range"] == f"bytes 1-3/{len(PNG)}"
    beyond = await desk.call("GET", f"{file}?raw=1", range="bytes=9999-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(PNG)}")
    text = base64.b64encode(PNG).decode()
    same = await desk.call("PUT", file, sends={"content": text, "encoding": "base64"})
    assert same.json()["data"]["unchanged"] is True


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff\xfe", "\u20ac\U0001f600\r\n".encode(), b"a" * 70_000]
)
async def test_any_bytes_come_back(desk: Desk, data: bytes) -> None:
    project = await desk.project()
    headers = {"x-fleet-secret": desk.client.secret, "x-user-id": str(desk.owner)}
    file = f"{project}/files/any"
    sent = await desk.client.put(
        file, content=data, headers={**headers, "content-type": "application/octet-stream"}
    )
    assert sent.status_code == 201
    shown = (await desk.call("GET", file)).json()["data"]
    encoded = shown["content"].encode()
    decoded = base64.b64decode(encoded) if shown["encoding"] == "base64" else encoded
    assert decoded == data == (await desk.call("GET", f"{file}?raw=1")).content
    assert shown["size"] == len(data)


async def test_a_file_has_a_largest_size(desk: Desk) -> None:
    project = await desk.project()
    limit = desk.client.app.state.settings.file_bytes_max
    headers = {"x-fleet-secret": desk.client.secret, "x-user-id": str(desk.owner)}
    for size in (limit + 1, 2 * limit + 1):
        answer = await desk.client.put(
            f"{project}/files/big",
            content=bytes(size),
            headers={**headers, "content-type": "application/octet-stream"},
        )
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert error["details"][0]["limit"] >= limit


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"content": "x", "mode": 1}', 400, "mode"),
        (b'{"content": 1}', 400, "content"),
        (b"{}", 400, "content"),
        (b"[]", 400, ""),
        (b"", 400, ""),
        (b'{"content": "\xff"}', 400, ""),
        (b'{"content": "\\ud800"}', 400, ""),
        (b'{"content": "x", "encoding": "latin-1"}', 400, "encoding"),
        (b'{"content": "%%%", "encoding": "base64"}', 400, "content"),
        (b'{"content": "YQ", "encoding": "base64"}', 400, "content"),
        (b"[" * 100_000, 400, ""),
        (b'{"content":' * 5000, 400, ""),
    ],
)
async def test_what_is_no_content_is_refused(
    desk: Desk, body: bytes, status: int, field: str
) -> None:
    project = await desk.project()
    headers = {"x-fleet-secret": desk.client.secret, "x-user-id": str(desk.owner)}
    answer = await desk.client.put(
        f"{project}/files/a",
        content=body,
        headers={**headers, "content-type": "application/json; charset=utf-8"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "VALIDATION_ERROR")
    assert field in {detail["field"] for detail in answer.json()["error"]["details"]}
    assert await desk.tree(project) == {}


async def test_files_are_listed_by_path(desk: Desk) -> None:
    project = await desk.project()
    for path in ("b", "a/2", "a/10", "a/1", "ab"):
        await desk.put(project, path, path)

    async def paths(query: str) -> list[str]:
        answer = await desk.call("GET", f"{project}/files?{query}")
        return [file["path"] for file in answer.json()["data"]]

    assert await paths("") == ["a/1", "a/10", "a/2", "ab", "b"]
    assert await paths("sort=-path") == ["b", "ab", "a/2", "a/10", "a/1"]
    assert await paths("prefix=a/") == ["a/1", "a/10", "a/2"]
    assert await paths("prefix=%25") == []
    assert await paths("page=2&limit=2") == ["a/2", "ab"]
    answer = await desk.call("GET", f"{project}/files?limit=2&prefix=a")
    assert answer.json()["meta"]["total"] == 4
    assert 'rel="next"' in answer.headers["link"]
    for query in ("sort=size", "prefix=%00", "limit=0"):
        refused = await desk.call("GET", f"{project}/files?{query}")
        assert refused.json()["error"]["code"] == "VALIDATION_ERROR"


async def test_a_tree_can_be_seen_in_part(desk: Desk) -> None:
    project = await desk.project()
    for path in ("src/a.ts", "src/lib/b.ts", "src/lib/deep/c.ts", "index.html", "srcs"):
        await desk.put(project, path, path)
    assert sorted(await desk.tree(project, "depth=1")) == ["index.html", "src", "srcs"]
    assert sorted(await desk.tree(project, "depth=2")) == [
        "index.html",
        "src/a.ts",
        "src/lib",
        "srcs",
    ]
    inside = await desk.tree(project, "prefix=src/&depth=1")
    assert sorted(inside) == ["src/a.ts", "src/lib"]
    assert sorted(await desk.tree(project, "prefix=src/lib/")) == [
        "src/lib/b.ts",
        "src/lib/deep/c.ts",
    ]
    assert await desk.tree(project, "prefix=nothing/") == {}
    whole = await desk.call("GET", f"{project}/tree?depth=1")
    kinds = {e["path"]: e["type"] for e in whole.json()["data"]["entries"]}
    assert kinds == {"index.html": "file", "src": "directory", "srcs": "file"}
    for query in ("depth=0", "depth=x", "depth=1001", "prefix=%00"):
        refused = await desk.call("GET", f"{project}/tree?{query}")
        assert refused.json()["error"]["code"] == "VALIDATION_ERROR"


async def test_a_tree_has_a_tag_of_all_that_is_in_it(desk: Desk) -> None:
    project, twin = await desk.project(), await desk.project()
    tags = []
    for place in (project, twin):
        await desk.put(place, "a", "1")
        await desk.put(place, "b/c", "2")
        tags.append((await desk.call("GET", f"{place}/tree")).headers["etag"])
    assert tags[0] == tags[1]
    known = await desk.call("GET", f"{project}/tree", if_none_match=tags[0])
    assert (known.status_code, known.content) == (304, b"")
    await desk.put(project, "b/c", "3")
    shallow = f"{project}/tree?depth=1"
    after = await desk.call("GET", shallow)
    assert after.headers["etag"] != tags[0]
    assert (await desk.call("GET", shallow, if_none_match=tags[0])).status_code == 200
    await desk.put(project, "b/c", "2")
    assert (await desk.call("GET", f"{project}/tree")).headers["etag"] == tags[0]


async def test_who_may_read_and_write_files(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a", "1")
    reads = ("files/a", "files/a?raw=1", "files", "tree")
    for user in (desk.editor, desk.commenter, desk.viewer):
        for read in reads:
            assert (await desk.call("GET", f"{project}/{read}", user)).status_code == 200
    for read in reads:
        answer = await desk.call("GET", f"{project}/{read}", desk.stranger)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    expected = {desk.editor: 200, desk.commenter: 403, desk.viewer: 403, desk.stranger: 404}
    operations = {"operations": [{"op": "upsert", "path": "b", "content": "x"}]}
    for user, status in expected.items():
        put = await desk.put(project, "a", f"by {user}", user)
        batch = await desk.call("POST", f"{project}/files/batch", user, sends=operations)
        assert put.status_code == batch.status_code == status
    for user in (desk.viewer, desk.stranger):
        removed = await desk.call("DELETE", f"{project}/files/a", user)
        assert removed.status_code == expected[user]
    assert await desk.text(project, "a") == f"by {desk.editor}"
    await desk.call("DELETE", project)
    assert (await desk.put(project, "a", "x")).status_code == 404
    assert (await desk.call("GET", f"{project}/files/a")).status_code == 404
