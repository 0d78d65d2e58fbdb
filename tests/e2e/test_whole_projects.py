"""Whole projects through the gateway: out as archives and in again, copied, forked and counted."""

import asyncio
import base64
import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from services.projects.tests.zips import Part, zipped

from common.ids import uuid7
from fleet.testing import Running
from tests.e2e.answers import batch, failed, ok, put, tree

_PROJECTS = "/api/v1/projects"
_IMPORT = f"{_PROJECTS}/import"
_ZIP = {"content-type": "application/zip"}
_MIB = 1 << 20
_PATIENCE_S = 20.0
_ROUTES = {
    "/api/v1/projects/import": "post",
    "/api/v1/projects/jobs/{job_id}": "delete",
    "/api/v1/projects/{project_id}/checkpoints/{checkpoint_id}/restore": "post",
    "/api/v1/projects/{project_id}/duplicate": "post",
    "/api/v1/projects/{project_id}/export": "get",
    "/api/v1/projects/{project_id}/fork": "post",
    "/api/v1/projects/{project_id}/history": "get",
    "/api/v1/projects/{project_id}/restore": "post",
    "/api/v1/projects/{project_id}/restore-file": "post",
    "/api/v1/projects/{project_id}/transfer": "post",
    "/api/v1/projects/{project_id}/usage": "get",
}


def _archive(files: dict[str, bytes]) -> bytes:
    """An archive as another program makes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return made.getvalue()


async def _owned(client: httpx.AsyncClient) -> list[str]:
    """What somebody's projects are called, those in the trash too."""
    names: list[str] = []
    for scope in ("owned", "trashed"):
        params = {"scope": scope, "limit": 100, "sort": "name"}
        names += [each["name"] for each in ok(await client.get(_PROJECTS, params=params))]
    return names


async def _ended(client: httpx.AsyncClient, job: str) -> dict[str, Any]:
    """Follow a job to its end, as often as it says."""
    progress = 0.0
    while True:
        answer = await client.get(job)
        told: dict[str, Any] = ok(answer)
        assert progress <= told["progress"] <= 1
        progress = told["progress"]
        if told["status"] not in {"queued", "running"}:
            assert "retry-after" not in answer.headers
            return told
        await asyncio.sleep(float(answer.headers["retry-after"]) / 10)


async def test_what_goes_out_comes_in_again_as_another_project(person) -> None:
    ann, bob = await person(), await person()
    project = await ann.project(name="Pong")
    await put(ann.client, project, "src/été.ts", "let a = 1;\n" * 500)
    await put(ann.client, project, "empty", "")
    image = f"{_PROJECTS}/{project}/files/art/cat.png"
    plain = {"content-type": "image/png"}
    ok(await ann.client.put(image, content=bytes(range(256)) * 99, headers=plain), 201)
    url = f"{_PROJECTS}/{project}/export"
    first, second = await ann.client.get(url), await ann.client.get(url)
    assert (first.status_code, first.headers["content-type"]) == (200, "application/zip")
    assert first.content == second.content
    digest = base64.b64encode(hashlib.sha256(first.content).digest()).decode()
    assert first.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert "Pong.zip" in first.headers["content-disposition"]
    part = await ann.client.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, first.content[10:20])
    known = await ann.client.get(url, headers={"if-none-match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    form = {"file": ("Pong 2.zip", first.content, "application/zip")}
    for answer in (
        await bob.client.post(f"{_IMPORT}?name=Pong 2", content=first.content, headers=_ZIP),
        await bob.client.post(_IMPORT, files=form),
    ):
        new = ok(answer, 201)
        assert answer.headers["location"] == f"{_PROJECTS}/{new['id']}"
        assert answer.headers["x-ratelimit-limit"] == "6000"
        assert (new["id"] != project, new["name"], new["userId"]) == (True, "Pong 2", bob.user_id)
        there = await tree(bob.client, new["id"])
        assert there["hash"] == (await tree(ann.client, project))["hash"]
        again = await bob.client.get(f"{_PROJECTS}/{new['id']}/export")
        assert again.content == first.content


async def test_a_large_archive_comes_in_and_goes_out(person) -> None:
    ann = await person()
    files = {f"f{n}.bin": os.urandom(_MIB) for n in range(20)}
    archive = _archive(files)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(archive), _MIB):
            yield archive[start : start + _MIB]

    # of a length that is told first, and of one that is not
    _, project = [
        ok(await ann.client.post(f"{_IMPORT}?name=Large", content=sent, headers=_ZIP), 201)["id"]
        for sent in (archive, pieces())
    ]
    received = b""
    async with ann.client.stream("GET", f"{_PROJECTS}/{project}/export") as response:
        assert response.status_code == 200
        async for piece in response.aiter_bytes():
            received += piece
    assert int(response.headers["content-length"]) == len(received)
    with zipfile.ZipFile(io.BytesIO(received)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files


async def test_a_hostile_archive_leaves_nothing(person) -> None:
    ann = await person()
    link = Part(b"etc", b"/etc/passwd", mode=0o120777)
    bomb = Part(b"zeros", bytes(20 * _MIB), method=8)
    for archive, entry in (
        (zipped(Part(b"../evil", b"x")), "../evil"),
        (zipped(Part(b"a", b"1"), link), "etc"),
        (zipped(Part(b"a", b"1"), bomb), "zeros"),
        (zipped(Part(b"a", b"1", local={"name": b"b"})), "a"),
        (_archive({"ok": b"1"})[:-9], None),
    ):
        refused = await ann.client.post(f"{_IMPORT}?name=x", content=archive, headers=_ZIP)
        assert failed(refused) == (400, "UNSAFE_ARCHIVE"), entry
        assert refused.json()["error"]["details"][0]["entry"] == entry
    assert await _owned(ann.client) == []


async def test_an_archive_that_is_too_large_is_refused_before_it_is_sent(
    fleet_up: Running, person
) -> None:
    ann = await person()
    edge = urlsplit(fleet_up.gateway_url)
    headers = {
        "host": edge.netloc,
        "authorization": f"Bearer {ann.token}",
        "content-type": "application/zip",
        "content-length": f"{512 * _MIB + 1}",
    }
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    for path in (_IMPORT, "/api/projects/import"):
        reader, writer = await asyncio.open_connection(edge.hostname, edge.port)
        writer.write(f"POST {path}?name=x HTTP/1.1\r\n{told}\r\n".encode())
        async with asyncio.timeout(_PATIENCE_S):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 413 "), head
        error = msgspec.json.decode(body)["error"]
        assert error["code"] == "PAYLOAD_TOO_LARGE"
        assert str(512 * _MIB) in str(error["details"])


async def test_a_duplicate_is_a_job_that_is_followed(person) -> None:
    ann, bob = await person(), await person()
    project = await ann.project(name="Pong", description="A game.")
    await put(ann.client, project, "a", "1")
    key = {"idempotency-key": f"{uuid7()}"}
    url = f"{_PROJECTS}/{project}/duplicate"
    asked = await ann.client.post(url, json={"name": "Pong 2"}, headers=key)
    job = ok(asked, 202)
    assert asked.headers["location"] == f"{_PROJECTS}/jobs/{job['id']}"
    assert asked.headers["retry-after"]
    again = await ann.client.post(url, json={"name": "Pong 2"}, headers=key)
    assert (ok(again, 202)["id"], again.headers["idempotency-replayed"]) == (job["id"], "true")
    ended = await _ended(ann.client, asked.headers["location"])
    assert (ended["status"], ended["progress"]) == ("complete", 1)
    made = ok(await ann.client.get(ended["result"]["href"]))
    assert (made["name"], made["description"], made["role"]) == ("Pong 2", "A game.", "owner")
    assert (await tree(ann.client, made["id"]))["hash"] == (await tree(ann.client, project))["hash"]
    over = await ann.client.delete(asked.headers["location"])
    assert failed(over) == (409, "CONFLICT")
    assert failed(await bob.client.get(asked.headers["location"])) == (404, "NOT_FOUND")
    assert [each["id"] for each in ok(await ann.client.get(f"{_PROJECTS}/jobs"))] == [job["id"]]
    assert await _owned(ann.client) == ["Pong", "Pong 2"]


async def test_a_job_that_is_cancelled_makes_nothing_and_one_that_is_over_stays(person) -> None:
    ann = await person()
    project = await ann.project(name="a")
    steps = ({"op": "upsert", "path": f"{n}", "content": f"{n}"} for n in range(400))
    await batch(ann.client, project, *steps)
    jobs: dict[str, str] = {}
    for name in "bcdefgh":
        asked = await ann.client.post(f"{_PROJECTS}/{project}/duplicate", json={"name": name})
        jobs[name] = asked.headers["location"]
    left = ["a"]
    for name, job in reversed(jobs.items()):
        cancelled = await ann.client.delete(job)
        ended = await _ended(ann.client, job)
        outcome = (cancelled.status_code, ended["status"])
        assert outcome in {(204, "cancelled"), (409, "complete")}
        left += [name] if ended["result"] else []
    assert await _owned(ann.client) == sorted(left)


async def test_whoever_sees_a_project_forks_it_and_brings_nobody_along(person) -> None:
    ann, bob, eve = await person(), await person(), await person()
    project = await ann.project(name="Pong", isPublic=True, settings={"speed": 3})
    url = f"{_PROJECTS}/{project}"
    member = {"login": eve.username, "role": "editor"}
    ok(await ann.client.post(f"{url}/collaborators", json=member), 201)
    await put(ann.client, project, "a", "1")
    key = {"idempotency-key": f"{uuid7()}"}
    first, again = [await bob.client.post(f"{url}/fork", json={}, headers=key) for _ in range(2)]
    fork = ok(first, 201)
    assert (ok(again, 201), again.headers["idempotency-replayed"]) == (fork, "true")
    other = await bob.client.post(f"{url}/fork", json={"name": "x"}, headers=key)
    assert failed(other) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert (fork["forkedFrom"], fork["userId"], fork["isPublic"]) == (project, bob.user_id, False)
    assert fork["settings"] == {"speed": 3}
    assert await _owned(bob.client) == ["Pong"]
    there = f"{_PROJECTS}/{fork['id']}"
    people = ok(await bob.client.get(f"{there}/collaborators"))
    assert [each["userId"] for each in people] == [bob.user_id]
    assert (await tree(bob.client, fork["id"]))["hash"] == (await tree(ann.client, project))["hash"]
    for other in (ann, eve):
        assert failed(await other.client.get(there)) == (404, "NOT_FOUND")
    hidden = await ann.project()
    refused = await bob.client.post(f"{_PROJECTS}/{hidden}/fork", json={})
    assert failed(refused) == (404, "NOT_FOUND")


async def test_content_counts_once_however_often_it_is_there(person) -> None:
    ann, bob = await person(), await person()
    project = await ann.project(isPublic=True)
    for path in ("a", "b", "c"):
        await put(ann.client, project, path, "x" * 1000)
    await put(ann.client, project, "a", "y" * 10)
    used = ok(await ann.client.get(f"{_PROJECTS}/{project}/usage"))
    found = {name: used[name]["used"] for name in ("bytes", "files", "members")}
    assert found == {"bytes": 1010, "files": 3, "members": 1}
    assert all(used[name]["limit"] > 1010 for name in ("bytes", "files"))
    refused = await bob.client.get(f"{_PROJECTS}/{project}/usage")
    assert failed(refused) == (403, "FORBIDDEN")


async def test_a_request_that_is_repeated_names_one_checkpoint_and_makes_one_import(person) -> None:
    ann = await person()
    project = await ann.project(name="Pong")
    key = {"idempotency-key": f"{uuid7()}"}
    url = f"{_PROJECTS}/{project}/checkpoints"
    made = [await ann.client.post(url, json={"name": "one"}, headers=key) for _ in range(2)]
    assert ok(made[0], 201) == ok(made[1], 201)
    assert made[1].headers["idempotency-replayed"] == "true"
    other = await ann.client.post(url, json={"name": "two"}, headers=key)
    assert failed(other) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert [each["name"] for each in ok(await ann.client.get(url))] == ["one"]
    key = {"idempotency-key": f"{uuid7()}"}
    archive = _archive({"a": b"1"})
    made = [
        await ann.client.post(f"{_IMPORT}?name=x", content=archive, headers=_ZIP | key)
        for _ in range(2)
    ]
    assert ok(made[0], 201) == ok(made[1], 201)
    assert await _owned(ann.client) == ["Pong", "x"]


async def test_every_body_has_a_limit_and_every_route_its_description(person) -> None:
    ann = await person()
    url = f"{_PROJECTS}/{await ann.project()}"
    for path in ("duplicate", "fork", "checkpoints", "restore-file", "transfer"):
        large = {"name": "x" * _MIB}
        refused = await ann.client.post(f"{url}/{path}", json=large)
        assert failed(refused) == (413, "PAYLOAD_TOO_LARGE"), path
    document = (await ann.client.get("/api/v1/openapi.json")).json()
    for path, method in _ROUTES.items():
        described = document["paths"][path][method]
        assert described["x-rate-class"]
