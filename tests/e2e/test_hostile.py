"""Whoever means harm, or has a bad line, gets an answer of their own, and nobody else's fails."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

_MIB = 1 << 20


@pytest.mark.parametrize("size", [900_000, 8 * _MIB])
async def test_a_refusal_arrives_though_the_body_was_not_wanted(person, size) -> None:
    client = (await person()).client
    body, plain = b"x" * size, {"content-type": "text/plain"}
    asked = [
        ("PUT", "/api/v1/projects/x/files/a", 404),
        ("POST", "/api/v1/assets/upload", 415),
        ("POST", "/api/v1/templates", 405),
    ]
    for method, path, status in asked * 4:
        answer = await client.request(method, path, content=body, headers=plain)
        assert answer.status_code == status, (path, answer.text)


async def test_a_slash_at_the_end_is_no_way_around_the_limit_of_logins(person) -> None:
    ann = await person()
    wrong = {"login": ann.username, "password": "not this one"}
    for path in ("/api/v1/auth/login", "/api/v1/auth/login/", "/api/auth/login//"):
        answer = await ann.client.post(path, json=wrong)
        assert (answer.status_code, answer.headers["x-ratelimit-limit"]) == (401, "60")


@pytest.mark.parametrize("template", ["a%0ab", "a%0d%0ab", "%7f", "a%3Fb", "a%23b", "%252e%252e"])
async def test_a_template_is_looked_for_under_its_name_and_nowhere_else(person, template) -> None:
    client = (await person()).client
    url = f"/api/v1/projects/from-template/{template}"
    answer = await client.post(url, json={"name": "x"})
    assert answer.status_code == 404


async def test_a_folder_does_not_double_for_ever(person) -> None:
    ann = await person()
    url = f"/api/v1/projects/{await ann.project()}/files"
    assert (await ann.client.put(f"{url}/a/x", json={"content": ""})).status_code == 201
    steps = [
        step
        for n in range(200)
        for step in (
            {"op": "copy", "path": "a", "to": f"b{n}"},
            {"op": "move", "path": f"b{n}", "to": f"a/{n}"},
        )
    ]
    answer = await ann.client.post(f"{url}/batch", json={"operations": steps})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_file_answers_absurd_ranges_and_refuses_what_is_no_base64(person) -> None:
    ann = await person()
    url = f"/api/v1/projects/{await ann.project()}/files/a"
    body = {"content": "\u202e", "encoding": "base64"}
    assert (await ann.client.put(url, json=body)).status_code == 400
    assert (await ann.client.put(url, json={"content": "0123"})).status_code == 201
    absurd = {"range": f"bytes=0-{'9' * 5000}"}
    answer = await ann.client.get(f"{url}?raw=1", headers=absurd)
    assert (answer.status_code, answer.content) == (200, b"0123")


async def _built(client: httpx.AsyncClient, files: dict[str, str]) -> dict[str, Any]:
    made = await client.post("/api/v1/projects", json={"name": "x"})
    project = made.json()["data"]["id"]
    steps = [{"op": "upsert", "path": path, "content": text} for path, text in files.items()]
    url = f"/api/v1/projects/{project}/files/batch"
    assert (await client.post(url, json={"operations": steps})).status_code == 200
    order = {"projectId": project, "target": "web"}
    build = (await client.post("/api/v1/builds", json=order)).json()["data"]["id"]
    answer = await client.get(f"/api/v1/builds/{build}", headers={"prefer": "wait=30"})
    ended: dict[str, Any] = answer.json()["data"]
    return ended


async def test_a_key_in_the_address_leads_nowhere_but_into_the_game(person, gateway) -> None:
    page = "<script type=module src=src/main.ts></script>"
    build = await _built((await person()).client, {"index.html": page, "src/main.ts": ""})
    assert build["status"] == "success"
    whole = urlsplit(build["playUrl"])
    for path in (
        "%252e%252e/%252e%252e/api/v1/users/me",
        "a%0d%0aset-cookie%3ax%3dy",
        "%3f",
        "%23",
    ):
        place = f"{whole.scheme}://{whole.netloc}{whole.path}"
        answer = await gateway.get(f"{place}{path}?{whole.query}")
        assert answer.status_code == 302, path
        assert answer.headers["location"].lower() == whole.path + path
        assert len(answer.headers.get_list("set-cookie")) == 1


async def test_a_build_that_cannot_be_told_of_still_ends(person) -> None:
    harmful = {"index.html": "<p>", "project.json": '{"entry": "a\\u0000b"}'}
    build = await _built((await person()).client, harmful)
    assert (build["status"], build["errorCode"]) == ("failed", "ENTRY_MISSING")
