"""Builds that are done once more to see whether the same comes of them."""

import asyncio

import httpx

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'
_GAME = {"index.html": _PAGE, "src/main.ts": "document.title = 'first';\n"}


async def _verify(desk, build, **headers):
    return await desk.call("POST", f"/api/v1/builds/{build['id']}/verify", **headers)


async def _stored(desk, build):
    """How the objects of builds begin that the store has for a build's project."""
    pool = desk.db._pool  # noqa: SLF001 - nobody else sees where results lie
    query = (
        "SELECT DISTINCT result_id::text FROM build WHERE project_id = $1 AND status = 'success'"
    )
    return [r["result_id"] for r in await pool.fetch(query, build["projectId"])]


async def test_a_build_is_done_again_and_comes_to_the_same(desk):
    build = await desk.built(_GAME)
    answer = await _verify(desk, build)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    begun = answer.json()["data"]
    assert answer.headers["location"] == f"/api/v1/builds/{begun['id']}"
    assert (begun["status"], begun["verifyOf"], begun["artifacts"]) == ("queued", build["id"], [])
    ended = await desk.ended(begun)
    assert (ended["status"], ended["cached"], ended["verifyOf"]) == ("success", False, build["id"])
    assert [s["name"] for s in ended["steps"]][-1] == "publish"
    assert ended["artifacts"][0]["sha256"] == build["artifacts"][0]["sha256"]
    # the objects are the first one's
    assert await _stored(desk, build) == [build["id"]]
    # and stay when it goes
    assert (await desk.call("DELETE", f"/api/v1/builds/{build['id']}")).status_code == 204
    found = await desk.call("GET", f"/api/v1/builds/{ended['id']}/artifacts/web.zip")
    assert f"/{build['id']}/artifacts/web.zip" in found.headers["location"]


async def test_a_result_that_was_another_is_told_with_both_hashes(desk):
    build = await desk.built(_GAME)
    pool = desk.db._pool  # noqa: SLF001 - tools that make other bytes are not at hand
    await pool.execute(
        "UPDATE build SET artifacts = jsonb_set(artifacts, '{0,sha256}', $2::jsonb) WHERE id = $1",
        build["id"],
        '"' + "0" * 64 + '"',
    )
    ended = await desk.ended((await _verify(desk, build)).json()["data"])
    assert (ended["status"], ended["errorCode"]) == ("failed", "NOT_REPRODUCIBLE")
    assert "0" * 64 in ended["errorMessage"]
    assert build["artifacts"][0]["sha256"] in ended["errorMessage"]
    assert (ended["artifacts"], ended["playUrl"]) == ([], None)


async def test_only_what_succeeded_can_be_verified(desk, company):
    broken = await desk.built(_GAME | {"src/main.ts": "const x: number = 'a';\nexport { x };\n"})
    failed = await _verify(desk, broken)
    assert (failed.status_code, failed.json()["error"]["code"]) == (409, "BUILD_NOT_VERIFIABLE")
    company.stop("worker")
    try:
        queued = await desk.start(await desk.project(_GAME))
        early = await _verify(desk, queued)
        assert (early.status_code, early.json()["error"]["code"]) == (409, "BUILD_NOT_FINISHED")
    finally:
        company.start("worker")
    await desk.ended(queued)


async def test_who_may_verify_and_that_a_key_repeats_the_answer(desk):
    project = await desk.project(_GAME)
    await desk.access(project)
    build = await desk.ended(await desk.start(project))
    path = f"/api/v1/builds/{build['id']}/verify"
    for who, status in ((desk.viewer, 403), (desk.stranger, 404)):
        assert (await desk.call("POST", path, who)).status_code == status
    first = await _verify(desk, build, idempotency_key="the-same-verification")
    again = await _verify(desk, build, idempotency_key="the-same-verification")
    assert first.json()["data"]["id"] == again.json()["data"]["id"]
    await desk.ended(first.json()["data"])


async def test_an_asset_that_was_deleted_meanwhile_is_built_from_all_the_same(
    desk, company, tmp_path
):
    project = await desk.project(_GAME)
    company.stop("assets")
    company.start("assets", INTERNAL_LIFETIME_S="1")
    try:
        await desk.upload(project, "note.txt", b"hello")
        build = await desk.ended(await desk.start(project))
        path = f"/api/v1/projects/{project}/assets"
        (asset,) = (await desk.call("GET", path, service="assets")).json()["data"]
        gone = await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", service="assets")
        assert gone.status_code == 204, gone.text
        company.stop("worker")
        # a worker that has nothing yet, and an address that is too old
        company.start("worker", BUILD_CACHE_DIR=str(tmp_path / "empty"))
        await asyncio.sleep(1.5)
        ended = await desk.ended((await _verify(desk, build)).json()["data"])
        assert (ended["status"], ended["errorCode"]) == ("success", None)
    finally:
        for name in ("worker", "assets"):
            company.stop(name)
            company.start(name)
