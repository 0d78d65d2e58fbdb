"""What every client of the gateway relies on, whatever it asks for."""

import httpx
import pytest

from common.ids import uuid7


def _error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_list_has_its_envelope(person) -> None:
    ann = await person()
    for number in range(3):
        await ann.project(name=f"Game {number}")
    answer = await ann.client.get("/api/v1/projects?limit=2&sort=-name")
    body = answer.json()
    assert [p["name"] for p in body["data"]] == ["Game 2", "Game 1"]
    meta = body["meta"]
    assert (meta["page"], meta["limit"], meta["total"], meta["pages"]) == (1, 2, 3, 2)
    assert (meta["hasNext"], meta["hasPrev"]) == (True, False)
    assert meta["requestId"] == answer.headers["x-request-id"]
    assert 'rel="next"' in answer.headers["link"]
    assert "server-timing" in answer.headers


async def test_an_unversioned_path_is_the_same_resource(person) -> None:
    ann = await person()
    answer = await ann.client.get("/api/projects")
    assert answer.status_code == 200
    assert 'rel="canonical"' in answer.headers["link"]


async def test_creating_says_where(person) -> None:
    ann = await person()
    answer = await ann.client.post("/api/v1/projects", json={"name": "Game"})
    assert answer.status_code == 201
    there = await ann.client.get(answer.headers["location"])
    assert there.json()["data"]["id"] == answer.json()["data"]["id"]
    gone = await ann.client.delete(answer.headers["location"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert _error(await ann.client.get(answer.headers["location"])) == (404, "NOT_FOUND")


async def test_every_fault_of_a_body_is_named(person) -> None:
    ann = await person()
    wrong = {"name": "", "isPublic": "yes", "ownerId": str(uuid7()), "role": "owner"}
    answer = await ann.client.post("/api/v1/projects", json=wrong)
    assert _error(answer) == (400, "VALIDATION_ERROR")
    fields = {detail["field"] for detail in answer.json()["error"]["details"]}
    assert fields == {"name", "isPublic", "ownerId", "role"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/nope", 404, "NOT_FOUND"),
        ("/nope", 404, "NOT_FOUND"),
        (f"/api/v1/projects/{uuid7()}", 404, "NOT_FOUND"),
        ("/api/v1/projects/not-an-id", 404, "NOT_FOUND"),
        ("/api/v1/projects?sort=bogus", 400, "VALIDATION_ERROR"),
        ("/api/v1/projects?limit=0", 400, "VALIDATION_ERROR"),
        ("/api/v1/projects?page=x", 400, "VALIDATION_ERROR"),
        ("/api/v1/projects?q=%00", 400, "VALIDATION_ERROR"),
        ("/api/v1/users/nobody-has-this-name", 404, "NOT_FOUND"),
        (f"/api/v1/assets/{uuid7()}", 404, "NOT_FOUND"),
        (f"/api/v1/builds/{uuid7()}", 404, "NOT_FOUND"),
        ("/api/v1/templates/nothing-of-the-kind", 404, "NOT_FOUND"),
    ],
)
async def test_a_bad_question_gets_the_catalogues_answer(person, path, status, code) -> None:
    ann = await person()
    answer = await ann.client.get(path)
    assert _error(answer) == (status, code), answer.text
    problem = await ann.client.get(path, headers={"accept": "application/problem+json"})
    assert problem.headers["content-type"].startswith("application/problem+json")
    body = problem.json()
    assert (body["status"], body["code"]) == (status, code)
    assert {"type", "title", "detail", "instance", "requestId"} <= set(body)


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b'{"name": "\xff"}', "application/json", 400, "VALIDATION_ERROR"),
        (b"[" * 50_000, "application/json", 400, "VALIDATION_ERROR"),
        (b"{", "application/json", 400, "VALIDATION_ERROR"),
        (b"", "application/json", 400, "VALIDATION_ERROR"),
        (b'{"name": "a\\u0000b"}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"name": "Game"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"name=Game", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"name":"' + b"x" * 2_000_000 + b'"}', "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_bad_body_is_no_fault_of_ours(person, content, content_type, status, code) -> None:
    ann = await person()
    headers = {"content-type": content_type}
    answer = await ann.client.post("/api/v1/projects", content=content, headers=headers)
    assert _error(answer) == (status, code)


@pytest.mark.parametrize(
    "path",
    ["..%2fb", "%2e%2e/b", "a%00b", "a%5cb", "CON", "x" * 256, "e%CC%81.txt", "a//b", ".git/x"],
)
async def test_a_bad_path_is_refused_or_made_plain(person, path) -> None:
    ann = await person()
    project = await ann.project()
    url = f"/api/v1/projects/{project}/files/{path}"
    answer = await ann.client.put(url, json={"content": "x"})
    tree = (await ann.client.get(f"/api/v1/projects/{project}/tree")).json()["data"]["entries"]
    if answer.is_success:
        assert [entry["path"] for entry in tree] == ["a/b"]
    else:
        assert answer.status_code in {400, 404}
        assert tree == []


async def test_a_request_id_is_kept_and_made(person) -> None:
    ann = await person()
    mine = f"test-{uuid7()}"
    kept = await ann.client.get("/api/v1/projects", headers={"x-request-id": mine})
    assert kept.headers["x-request-id"] == mine
    insane = await ann.client.get("/api/v1/projects", headers={"x-request-id": "a b"})
    assert insane.headers["x-request-id"] not in {"a b", ""}


async def test_the_documents_are_there(gateway) -> None:
    openapi = (await gateway.get("/api/v1/openapi.json")).json()
    assert openapi["openapi"].startswith("3.1")
    assert "/api/v1/projects/{project_id}/files/{path}" in openapi["paths"]
    asyncapi = (await gateway.get("/asyncapi.json")).json()
    assert asyncapi["asyncapi"].startswith("3.")
    page = await gateway.get("/docs")
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]


async def test_the_fleet_says_how_it_is(gateway) -> None:
    answer = await gateway.get("/health")
    assert answer.status_code == 200, answer.text
