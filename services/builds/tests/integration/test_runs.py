"""Builds from outside: started, pinned, repeated, ended, hidden."""

import asyncio
import hashlib
import io
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from common.contracts.builds import BuildQueued, BuildStarted, BuildSucceeded

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'
_GAME = {"index.html": _PAGE, "src/main.ts": "document.title = 'first';\n"}
_EXAMPLE = Path(__file__).parents[4] / "examples" / "breakout"
_STEPS = ["fetch", "check", "bundle", "package", "publish"]
_EVENTS = {e.subject: e for e in (BuildQueued, BuildStarted, BuildSucceeded)}


async def _fetch(desk, build, name="web.zip", **headers):
    """Follow the redirect as the gateway does: to the store, with the Host as signed."""
    path = f"/api/v1/builds/{build['id']}/artifacts/{name}"
    answer = await desk.call("GET", path)
    assert answer.status_code == httpx.codes.FOUND
    signed = urlsplit(answer.headers["location"])
    store = desk.company.builds_env["S3_ENDPOINT_URL"]
    return await desk.client.get(
        f"{store}{signed.path}?{signed.query}", headers={"host": signed.netloc, **headers}
    )


async def _download(desk, build, name="web.zip"):
    found = await _fetch(desk, build, name)
    assert found.status_code == httpx.codes.OK
    return zipfile.ZipFile(io.BytesIO(found.content))


async def _code(archive):
    (name,) = [n for n in archive.namelist() if n.startswith("main-") and n.endswith(".js")]
    return archive.read(name).decode()


async def _events(desk, build):
    pool = desk.db._pool  # noqa: SLF001 - the outbox has no other reader
    rows = await pool.fetch(
        "SELECT subject, data::text FROM outbox WHERE key = $1 ORDER BY position", build["id"]
    )
    return [(r["subject"], r["data"]) for r in rows]


async def test_a_whole_game_is_built_and_again_to_the_same_bytes(desk):
    texts = [p for p in _EXAMPLE.rglob("*") if p.suffix in {".ts", ".json", ".html"}]
    project = await desk.project({str(p.relative_to(_EXAMPLE)): p.read_text() for p in texts})
    for picture in (_EXAMPLE / "assets").iterdir():
        await desk.upload(project, picture.name, picture.read_bytes())
    queued = await desk.start(project)
    assert (queued["status"], queued["steps"], queued["playUrl"]) == ("queued", [], None)
    first = await desk.ended(queued)
    assert first["status"] == "success", first
    assert [s["name"] for s in first["steps"]] == _STEPS
    assert all(s["status"] == "success" and s["durationMs"] >= 0 for s in first["steps"])
    (artifact,) = first["artifacts"]
    archive = await _download(desk, first)
    assert archive.read("assets/ball.png") == (_EXAMPLE / "assets/ball.png").read_bytes()
    assert "src/main.ts" not in archive.namelist()
    second = await desk.ended(await desk.start(project))
    assert second["artifacts"][0]["sha256"] == artifact["sha256"]
    assert second["sourceTree"] == first["sourceTree"]


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("web", {"index.html", "manifest.webmanifest", "sw.js"}),
        ("electron", {"app.asar", "package.json", "electron-builder.json", "build/icon.png"}),
        ("cordova", {"config.xml", "package.json", "www/index.html", "res/splash.png"}),
    ],
)
async def test_every_target_gives_one_artifact_and_is_played(desk, target, names):
    build = await desk.built(_GAME, target=target)
    assert build["status"] == "success", build
    (artifact,) = build["artifacts"]
    assert (artifact["name"], artifact["platform"]) == (f"{target}.zip", target)
    assert names <= set((await _download(desk, build, artifact["name"])).namelist())
    part = await _fetch(desk, build, artifact["name"], range="bytes=0-3")
    assert (part.status_code, part.content) == (httpx.codes.PARTIAL_CONTENT, b"PK\x03\x04")
    whole = await _fetch(desk, build, artifact["name"])
    assert len(whole.content) == artifact["size"]
    assert hashlib.sha256(whole.content).hexdigest() == artifact["sha256"]
    assert build["playUrl"]


async def test_what_a_project_says_of_itself_wrongly_fails_the_build_at_once(desk):
    build = await desk.built(_GAME | {"project.json": '{"version": "one"}'}, target="cordova")
    assert (build["status"], build["errorCode"]) == ("failed", "CONFIG_INVALID")
    assert [s["name"] for s in build["steps"]] == ["fetch"]
    (diagnostic,) = build["diagnostics"]
    assert diagnostic["file"] == "project.json"


async def test_a_build_is_of_the_tree_as_it_was_when_it_was_wanted(desk, company):
    project = await desk.project(_GAME)
    company.stop("worker")
    try:
        build = await desk.start(project)
        await desk.write(project, {"src/main.ts": "document.title = 'second';\n"})
    finally:
        company.start("worker")
    done = await desk.ended(build)
    assert "first" in await _code(await _download(desk, done))


async def test_the_events_of_a_build_are_those_of_the_contract(desk):
    project = await desk.project(_GAME)
    build = await desk.ended(await desk.start(project))
    events = await _events(desk, build)
    assert [s for s, _ in events] == [
        "builds.build.queued.v1",
        "jobs.build.requested.v1",
        "builds.build.started.v1",
        "builds.build.succeeded.v1",
    ]
    for subject, data in events:
        if subject in _EVENTS:
            told = msgspec.json.decode(data, type=_EVENTS[subject])
            assert (str(told.project_id), told.target) == (project, "web")
            assert told.user_id == desk.owner


async def test_a_type_error_fails_the_build_at_its_place_and_can_be_tried_again(desk):
    broken = _GAME | {"src/main.ts": "\nconst x: number = 'a';\nexport { x };\n"}
    build = await desk.built(broken)
    assert (build["status"], build["errorCode"]) == ("failed", "TYPE_ERROR")
    (diagnostic,) = build["diagnostics"]
    assert (diagnostic["file"], diagnostic["line"], diagnostic["column"]) == ("src/main.ts", 2, 7)
    assert (diagnostic["code"], diagnostic["severity"]) == ("TS2322", "error")
    assert {s["name"]: s["status"] for s in build["steps"]}["check"] == "failed"
    assert build["artifacts"] == []
    again = await desk.call("POST", f"/api/v1/builds/{build['id']}/retry")
    assert again.status_code == httpx.codes.CREATED
    retried = again.json()["data"]
    assert (retried["retryOf"], retried["sourceTree"]) == (build["id"], build["sourceTree"])
    assert (await desk.ended(retried))["errorCode"] == "TYPE_ERROR"


async def test_what_has_succeeded_is_neither_tried_again_nor_ended(desk):
    build = await desk.built(_GAME)
    path = f"/api/v1/builds/{build['id']}"
    retry = await desk.call("POST", f"{path}/retry")
    assert (retry.status_code, retry.json()["error"]["code"]) == (409, "BUILD_NOT_RETRYABLE")
    cancel = await desk.call("POST", f"{path}/cancel")
    assert (cancel.status_code, cancel.json()["error"]["code"]) == (409, "CONFLICT")


async def test_what_is_queued_is_not_tried_again_has_no_artifacts_and_can_be_ended(desk, company):
    company.stop("worker")
    try:
        build = await desk.start(await desk.project(_GAME))
        path = f"/api/v1/builds/{build['id']}"
        for method, rest in (("POST", "/retry"), ("GET", "/artifacts"), ("GET", "/artifacts/x")):
            answer = await desk.call(method, path + rest)
            assert answer.json()["error"]["code"] == "BUILD_NOT_FINISHED"
        cancel = await desk.call("POST", f"{path}/cancel")
        assert (cancel.status_code, cancel.json()["data"]["status"]) == (200, "cancelled")
        twice = await desk.call("POST", f"{path}/cancel")
        assert twice.json()["data"]["status"] == "cancelled"
    finally:
        company.start("worker")
    assert [s for s, _ in await _events(desk, build)][-1] == "builds.build.cancelled.v1"
    assert (await desk.ended(build))["steps"] == []


async def test_who_may_build(desk):
    project = await desk.project(_GAME)
    await desk.access(project)
    body = {"projectId": project, "target": "web"}
    codes = {}
    for who in ("editor", "viewer", "stranger"):
        answer = await desk.call("POST", "/api/v1/builds", getattr(desk, who), json=body)
        codes[who] = answer.status_code
    assert codes == {"editor": 201, "viewer": 403, "stranger": 404}
    build = (await desk.call("GET", f"/api/v1/projects/{project}/builds")).json()["data"][0]
    await desk.ended(build)
    path = f"/api/v1/builds/{build['id']}"
    for method, rest in (("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")):
        assert (await desk.call(method, path + rest, desk.viewer)).status_code == 403
        assert (await desk.call(method, path + rest, desk.stranger)).status_code == 404
    for rest in ("", "/logs", "/artifacts"):
        assert (await desk.call("GET", path + rest, desk.viewer)).status_code == 200
        assert (await desk.call("GET", path + rest, desk.stranger)).status_code == 404


async def test_a_key_needs_the_scope_and_stays_in_its_project(desk):
    project = await desk.project(_GAME)
    body = {"projectId": project, "target": "web"}
    key = {"x_auth_method": "api_key"}
    poor = await desk.call("POST", "/api/v1/builds", json=body, x_auth_scopes="builds:read", **key)
    assert (poor.status_code, poor.json()["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    elsewhere = {"x_auth_project": str(desk.stranger), **key}
    other = await desk.call(
        "POST", "/api/v1/builds", json=body, x_auth_scopes="builds:write", **elsewhere
    )
    assert other.status_code == 404
    rich = await desk.call("POST", "/api/v1/builds", json=body, x_auth_scopes="builds:write", **key)
    assert rich.status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "amiga"}, "target"),
        ({"target": "web", "at": -1}, "at"),
        ({"target": "web", "colour": "red"}, "colour"),
        ({"target": "web", "options": {"minify": "yes"}}, "options"),
        ({"target": "web", "projectId": "x"}, "projectId"),
    ],
)
async def test_an_order_that_cannot_be_met_names_the_field(desk, body, field):
    wanted = {"projectId": str(desk.stranger)} | body
    answer = await desk.call("POST", "/api/v1/builds", json=wanted)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["details"][0]["field"] == field


async def test_a_list_is_paged_and_sorted(desk):
    project = await desk.project(_GAME)
    made = [await desk.ended(await desk.start(project)) for _ in range(3)]
    path = f"/api/v1/projects/{project}/builds"
    page = (await desk.call("GET", f"{path}?limit=2")).json()
    assert [b["id"] for b in page["data"]] == [made[2]["id"], made[1]["id"]]
    assert (page["meta"]["total"], page["meta"]["hasNext"]) == (3, True)
    oldest = (await desk.call("GET", f"{path}?limit=1&sort=queuedAt")).json()["data"]
    assert oldest[0]["id"] == made[0]["id"]
    assert (await desk.call("GET", f"{path}?sort=colour")).status_code == 400
    assert (await desk.call("GET", path, desk.stranger)).status_code == 404


async def test_a_deleted_build_is_gone_with_all_that_came_of_it(desk):
    build = await desk.built(_GAME)
    path = f"/api/v1/builds/{build['id']}"
    await _download(desk, build)
    assert (await desk.call("DELETE", path)).status_code == 204
    for rest in ("", "/logs", "/artifacts"):
        assert (await desk.call("GET", path + rest)).status_code == 404
    assert (await desk.call("DELETE", path)).status_code == 404
    pool = desk.db._pool  # noqa: SLF001 - nobody else sees what is deleted
    for _ in range(200):
        if not await pool.fetchval("SELECT count(*) FROM build WHERE id = $1", build["id"]):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("The janitor did not come.")


async def test_without_the_projects_service_a_build_cannot_be_wanted(desk, company):
    project = await desk.project(_GAME)
    await desk.access(project)
    company.stop("projects")
    try:
        body = {"projectId": project, "target": "web"}
        answer = await desk.call("POST", "/api/v1/builds", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert int(answer.headers["retry-after"]) > 0
    finally:
        company.start("projects")


async def test_without_nats_a_build_is_accepted_and_done_later(desk, stores):
    project = await desk.project(_GAME)
    stores.stop("nats")
    try:
        build = await desk.start(project)
        assert build["status"] == "queued"
    finally:
        stores.start("nats")
    assert (await desk.ended(build))["status"] == "success"
