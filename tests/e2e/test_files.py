"""Files through the gateway: read and written on conditions, in batches, and as bytes."""

import asyncio
import base64
import unicodedata

from tests.e2e.answers import failed, ok, put, tree

_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
_LARGEST = 25 << 20
# what is no path of a URL does not come past the gateway
_REFUSED = ("..%2fx", "a%5cb", "a%00b", "%252e%5c")
_BAD = (
    "/".join(("x" * 166, "y" * 166, "z" * 167)),
    "x" * 256,
    "CON",
    "src/aux.txt",
    "src/.git/config",
    "a%7fb",
    "a.",
    "%ff",
    "e%CC%81.txt",
)
_OUT = ("../x", "a/../../x", "..\\x", "a\0b", "/x", "a//b", "C:x", "NUL", "e\u0301.txt", "")


async def test_who_has_it_is_not_sent_it_again_whatever_their_token(person, gateway) -> None:
    ann = await person()
    project = await ann.project()
    for path in ("a.txt", "src/b.txt", "src/deep/c.txt"):
        await put(ann.client, project, path, path)
    spent = {"refreshToken": ann.refresh_token}
    renewed = ok(await gateway.post("/api/v1/auth/refresh", json=spent))["accessToken"]
    assert renewed != ann.token
    for place in ("files/a.txt", "files/a.txt?raw=1", "tree", "tree?prefix=src/&depth=1"):
        url = f"/api/v1/projects/{project}/{place}"
        tag = (await ann.client.get(url)).headers["etag"]
        for token in (ann.token, renewed):
            known = {"if-none-match": tag, "authorization": f"Bearer {token}"}
            again = await gateway.get(url, headers=known)
            assert (again.status_code, again.content) == (304, b""), place
            assert again.headers["etag"] == tag
    shallow = await tree(ann.client, project, "?prefix=src/&depth=1")
    assert [(e["path"], e["type"]) for e in shallow["entries"]] == [
        ("src/b.txt", "file"),
        ("src/deep", "directory"),
    ]


async def test_who_writes_over_another_is_told_of_them(person) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    member = {"login": bob.username, "role": "editor"}
    url = f"/api/v1/projects/{project}"
    ok(await ann.client.post(f"{url}/collaborators", json=member), 201)
    old = (await put(ann.client, project, "a", "1"))["hash"]
    now = await put(bob.client, project, "a", "2")
    for condition in ({"if-match": f'"{old}"'}, {"if-none-match": "*"}):
        stale = await ann.client.put(f"{url}/files/a", json={"content": "3"}, headers=condition)
        assert failed(stale) == (412, "PRECONDITION_FAILED")
        assert stale.headers["etag"] == f'"{now["hash"]}"'
        (told,) = stale.json()["error"]["details"]
        assert told["etag"].strip('"') == now["hash"]
        assert (told["updatedBy"], told["updatedAt"]) == (bob.user_id, now["updatedAt"])
    for tag in (now["hash"], f'W/"{now["hash"]}"'):
        bare = await ann.client.put(
            f"{url}/files/a", json={"content": "2"}, headers={"if-match": tag}
        )
        assert ok(bare)["unchanged"] is True
    exists = await ann.client.post(f"{url}/files/a", json={"content": "4"})
    assert failed(exists) == (409, "FILE_EXISTS")


async def test_a_retry_after_a_lost_reply_is_one_version(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    first = await put(client, project, "a", "1")
    url = f"/api/v1/projects/{project}"
    tag = {"if-match": f'"{first["hash"]}"'}
    answers = [
        ok(await client.put(f"{url}/files/a", json={"content": "2"}, headers=tag)) for _ in range(2)
    ]
    assert [each.get("unchanged", False) for each in answers] == [False, True]
    assert [each["version"] for each in answers] == [2, 2]
    told = ok(await client.get(f"{url}/history/files/a"))
    assert [each["version"] for each in told] == [2, 1]


async def test_who_writes_other_paths_is_in_nobody_s_way(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    url = f"/api/v1/projects/{project}/files"
    writes = (client.put(f"{url}/f{n}/a.txt", json={"content": f"{n}"}) for n in range(100))
    answers = await asyncio.gather(*writes)
    assert {answer.status_code for answer in answers} == {201}
    assert len((await tree(client, project))["entries"]) == 100


async def test_what_was_written_is_read_at_once(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    url = f"/api/v1/projects/{project}"
    for number in range(200):
        path = f"f{number % 7}.txt"
        written = await put(client, project, path, f"{number}")
        read = ok(await client.get(f"{url}/files/{path}"))
        assert (read["content"], read["version"]) == (f"{number}", written["version"])
        if number % 40 == 0:
            hashes = {e["path"]: e["hash"] for e in (await tree(client, project))["entries"]}
            assert hashes[path] == written["hash"]


async def test_one_wrong_step_of_five_hundred_undoes_them_all(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    await put(client, project, "kept", "1")
    before = await tree(client, project)
    steps = [{"op": "upsert", "path": f"n/{n}", "content": f"{n}"} for n in range(500)]
    steps[321] = {"op": "upsert", "path": "n/../x", "content": ""}
    url = f"/api/v1/projects/{project}"
    refused = await client.post(f"{url}/files/batch", json={"operations": steps})
    assert failed(refused) == (400, "INVALID_PATH")
    assert refused.json()["error"]["details"][0]["index"] == 321
    assert await tree(client, project) == before
    assert len(ok(await client.get(f"{url}/history"))) == 1
    some = {"operations": steps, "atomic": False}
    results = ok(await client.post(f"{url}/files/batch", json=some))["results"]
    wrong = [(each["index"], each["code"]) for each in results if each["status"] >= 400]
    assert (len(results), wrong) == (500, [(321, "INVALID_PATH")])
    assert len((await tree(client, project))["entries"]) == 500


async def test_bytes_come_back_as_they_went(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    url = f"/api/v1/projects/{project}/files/art/dot.png"
    ok(await client.put(url, content=_PNG, headers={"content-type": "image/png"}), 201)
    assert (await client.get(f"{url}?raw=1")).content == _PNG
    part = await client.get(f"{url}?raw=1", headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    assert part.headers["content-range"] == f"bytes 1-3/{len(_PNG)}"
    shown = ok(await client.get(url))
    assert (shown["encoding"], base64.b64decode(shown["content"])) == ("base64", _PNG)


async def test_a_file_may_be_large_and_no_larger(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    url = f"/api/v1/projects/{project}/files/big"
    data = b"0123456789abcdef" * (_LARGEST // 16)
    plain = {"content-type": "application/octet-stream"}
    ok(await client.put(url, content=data, headers=plain), 201)
    assert (await client.get(f"{url}?raw=1")).content == data
    last = await client.get(f"{url}?raw=1", headers={"range": "bytes=-4"})
    assert (last.status_code, last.content) == (206, b"cdef")
    refused = await client.put(url, content=data + b"x", headers=plain)
    assert failed(refused) == (413, "PAYLOAD_TOO_LARGE")
    assert str(_LARGEST) in str(refused.json()["error"]["details"])
    assert [e["size"] for e in (await tree(client, project))["entries"]] == [_LARGEST]


async def test_a_path_that_is_none_is_refused(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    for path in (*_REFUSED, *_BAD):
        url = f"/api/v1/projects/{project}/files/{path}"
        for answer in (await client.put(url, json={"content": ""}), await client.get(url)):
            assert answer.status_code == 400, (path, answer.text)
            code = answer.json()["error"]["code"]
            assert code == "INVALID_PATH" or path in _REFUSED, (path, code)
    assert (await tree(client, project))["entries"] == []


async def test_a_step_has_no_way_out_either(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    await put(client, project, "a", "1")
    url = f"/api/v1/projects/{project}/files/batch"
    for path in _OUT:
        for step in (
            {"op": "upsert", "path": path, "content": ""},
            {"op": "move", "path": "a", "to": path},
        ):
            refused = await client.post(url, json={"operations": [step]})
            assert failed(refused) == (400, "INVALID_PATH"), path
    assert [e["path"] for e in (await tree(client, project))["entries"]] == ["a"]


async def test_what_looks_escaped_is_a_name_and_twins_do_not_meet(person) -> None:
    client, project = (ann := await person()).client, await ann.project()
    await put(client, project, "%252e%252e", "dots")
    await put(client, project, "caf%C3%A9", "1")
    (coffee, dots) = sorted(
        (e["path"] for e in (await tree(client, project))["entries"]), reverse=True
    )
    assert (dots, coffee) == ("%2e%2e", unicodedata.normalize("NFC", "café"))
    url = f"/api/v1/projects/{project}/files"
    assert ok(await client.get(f"{url}/%252e%252e"))["content"] == "dots"
    for twin in ("CAF%C3%89", "Caf%C3%A9"):
        clash = await client.put(f"{url}/{twin}", json={"content": "2"})
        assert failed(clash)[0] in {400, 409}
