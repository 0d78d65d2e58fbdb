"""What was built once is not built again, and is there for as long as somebody has it."""

import asyncio
from urllib.parse import urlsplit

import httpx
import msgspec

from common.contracts.builds import BuildQueued, BuildSucceeded

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'
_GAME = {"index.html": _PAGE, "src/main.ts": "document.title = 'first';\n"}


async def _download(desk, build):
    answer = await desk.call("GET", f"/api/v1/builds/{build['id']}/artifacts/web.zip")
    assert answer.status_code == httpx.codes.FOUND, answer.text
    signed = urlsplit(answer.headers["location"])
    grant = f"/internal/objects{signed.path}?{signed.query}"
    assert (await desk.call("GET", grant)).status_code == httpx.codes.OK
    store = desk.company.builds_env["S3_ENDPOINT_URL"]
    return await desk.client.get(
        f"{store}{signed.path}?{signed.query}", headers={"host": signed.netloc}
    )


async def _play(desk, build):
    signed = urlsplit(build["playUrl"])
    entered = await desk.call("GET", f"{signed.path}?{signed.query}")
    return await desk.call("GET", signed.path, cookie=entered.headers["set-cookie"])


async def _removed(desk, build):
    pool = desk.db._pool  # noqa: SLF001 - nobody else sees what is deleted
    assert (await desk.call("DELETE", f"/api/v1/builds/{build['id']}")).status_code == 204
    for _ in range(200):
        if not await pool.fetchval("SELECT count(*) FROM build WHERE id = $1", build["id"]):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("The janitor did not come.")


async def test_what_was_built_already_is_there_at_once_without_a_worker(desk, company):
    project = await desk.project(_GAME)
    first = await desk.ended(await desk.start(project))
    company.stop("worker")
    try:
        second = await desk.start(project, desk.owner)
    finally:
        company.start("worker")
    assert (first["cached"], second["cached"], second["status"]) == (False, True, "success")
    assert second["artifacts"][0]["sha256"] == first["artifacts"][0]["sha256"]
    assert second["artifacts"][0]["url"] == f"/api/v1/builds/{second['id']}/artifacts/web.zip"
    assert second["startedAt"] == second["completedAt"] == second["queuedAt"]
    assert (await _play(desk, second)).text == (await _play(desk, first)).text
    log = await desk.call("GET", f"/api/v1/builds/{second['id']}/logs", accept="text/plain")
    assert first["id"] in log.text
    assert (await desk.ended(second)) == second | {"playUrl": (await desk.ended(second))["playUrl"]}


async def test_a_build_that_was_not_done_announces_its_beginning_and_its_end(desk):
    project = await desk.project(_GAME)
    first = await desk.ended(await desk.start(project))
    second = await desk.start(project)
    pool = desk.db._pool  # noqa: SLF001 - the outbox has no other reader
    rows = await pool.fetch(
        "SELECT subject, data::text FROM outbox WHERE key = $1 ORDER BY position", second["id"]
    )
    assert [r["subject"] for r in rows] == [BuildQueued.subject, BuildSucceeded.subject]
    told = msgspec.json.decode(rows[1]["data"], type=BuildSucceeded)
    assert (told.cached, told.size, str(told.build_id)) == (
        True,
        first["artifacts"][0]["size"],
        second["id"],
    )


async def test_other_input_is_built_anew(desk):
    project = await desk.project(_GAME)
    await desk.ended(await desk.start(project))
    other_way = await desk.start(project, options={"minify": False})
    assert (other_way["cached"], other_way["status"]) == (False, "queued")
    await desk.write(project, {"src/main.ts": "document.title = 'second';\n"})
    other_tree = await desk.start(project)
    assert (other_tree["cached"], other_tree["status"]) == (False, "queued")
    await desk.upload(project, "note.txt", b"hello")
    other_asset = await desk.start(project)
    assert other_asset["cached"] is False
    elsewhere = await desk.start(await desk.project(_GAME))
    assert elsewhere["cached"] is False


async def test_the_same_tree_of_another_moment_is_not_built_again(desk):
    project = await desk.project(_GAME)
    first = await desk.ended(await desk.start(project))
    await desk.write(project, {"src/main.ts": "document.title = 'second';\n"})
    await desk.write(project, _GAME)
    second = await desk.start(project)
    assert (second["cached"], second["sourceTree"]) == (True, first["sourceTree"])


async def test_what_failed_is_built_again(desk):
    broken = _GAME | {"src/main.ts": "const x: number = 'a';\nexport { x };\n"}
    project = await desk.project(broken)
    first = await desk.ended(await desk.start(project))
    second = await desk.ended(await desk.start(project))
    assert [(b["status"], b["cached"]) for b in (first, second)] == [("failed", False)] * 2
    assert second["steps"]


async def test_a_result_stays_until_the_last_build_that_has_it_is_deleted(desk):
    project = await desk.project(_GAME)
    first = await desk.ended(await desk.start(project))
    second = await desk.start(project)
    assert second["cached"] is True
    await _removed(desk, first)
    assert (await _play(desk, second)).status_code == httpx.codes.OK
    assert (await _download(desk, second)).status_code == httpx.codes.OK
    third = await desk.start(project)
    assert third["cached"] is True
    await _removed(desk, second)
    kept = await _download(desk, third)
    assert kept.status_code == httpx.codes.OK
    signed = (await desk.call("GET", f"/api/v1/builds/{third['id']}/artifacts/web.zip")).headers
    await _removed(desk, third)
    address = urlsplit(signed["location"])
    store = desk.company.builds_env["S3_ENDPOINT_URL"]
    gone = await desk.client.get(
        f"{store}{address.path}?{address.query}", headers={"host": address.netloc}
    )
    assert gone.status_code == httpx.codes.NOT_FOUND
    anew = await desk.start(project)
    assert anew["cached"] is False


async def test_a_stranger_learns_nothing_of_what_was_built(desk):
    project = await desk.project(_GAME)
    await desk.ended(await desk.start(project))
    body = {"projectId": project, "target": "web"}
    answer = await desk.call("POST", "/api/v1/builds", desk.stranger, json=body)
    assert answer.status_code == httpx.codes.NOT_FOUND
