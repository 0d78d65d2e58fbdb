"""Listing and showing templates."""

import pytest

from common.ids import uuid7


async def test_a_template_has_two_names_and_anybody_may_see_it(desk):
    slug = desk.write("start", {"index.html": b"Here", "a/b.png": desk.pixel}, thumbnail="a/b.png")
    assert await desk.seed() == [slug]
    shown = await desk.shown(slug)
    assert await desk.shown(shown["id"]) == shown
    assert {k: shown[k] for k in ("slug", "version", "tags", "variables")} == {
        "slug": slug,
        "version": "1.0.0",
        "tags": [desk.mark],
        "variables": [],
    }
    gateway = desk.environment["GATEWAY_URL"]
    assert shown["thumbnailUrl"] == f"{gateway}/api/v1/templates/{slug}/thumbnail"
    assert (await desk.listed()).json()["data"] == [shown]
    known = await desk.call(f"/api/v1/templates/{slug}", user=uuid7())
    assert known.json()["data"] == shown


@pytest.mark.parametrize("name", ["nothing", "search", "%25", str(uuid7()), uuid7().hex, "a" * 500])
async def test_what_is_not_there_is_not_found(desk, name):
    for path in (
        "/api/v1/templates/{}",
        "/api/v1/templates/{}/thumbnail",
        "/internal/templates/{}",
    ):
        answer = await desk.call(path.format(name))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_list_is_paged_sorted_and_searched(desk):
    desk.write("b", name="Beta", description="A 100%_sure start.")
    await desk.seed()
    desk.write("a", name="alpha", tags=[desk.mark, "Tiles"])
    desk.write("c", name="Gamma")
    await desk.seed()

    async def names(query=""):
        return [t["name"] for t in (await desk.listed(query)).json()["data"]]

    assert await names() == ["alpha", "Beta", "Gamma"]
    assert await names("sort=-name") == ["Gamma", "Beta", "alpha"]
    assert (await names("sort=createdAt"))[0] == "Beta"
    assert (await names("sort=-updatedAt"))[-1] == "Beta"
    assert await names("q=ALPH") == ["alpha"]
    assert await names("q=100%25_s") == ["Beta"]
    assert await names("q=tiles") == ["alpha"]
    assert await names("q=nothing-of-that") == []
    first = await desk.listed("limit=2")
    meta = first.json()["meta"]
    assert (meta["total"], meta["pages"], meta["hasNext"], meta["hasPrev"]) == (3, 2, True, False)
    assert 'rel="next"' in first.headers["link"]
    assert await names("limit=2&page=2") == ["Gamma"]
    beyond = (await desk.listed("page=9")).json()
    assert (beyond["data"], beyond["meta"]["total"]) == ([], 3)


@pytest.mark.parametrize(
    "query", ["sort=digest", "page=0", "limit=x", "q=" + "a" * 101, "q=%00", "limit=0"]
)
async def test_a_list_cannot_be_asked_for_just_anything(desk, query):
    answer = await desk.listed(query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_what_is_known_is_not_sent_again(desk):
    slug = desk.write("start", {"index.html": b"Here", "b.png": desk.pixel}, thumbnail="b.png")
    await desk.seed()
    for path in (f"/api/v1/templates/{slug}", f"/api/v1/templates/{slug}/thumbnail"):
        etag = (await desk.call(path)).headers["etag"]
        again = await desk.call(path, if_none_match=etag)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    before = (await desk.call(f"/api/v1/templates/{slug}")).headers["etag"]
    desk.write("start", {"index.html": b"There"})
    await desk.seed()
    after = await desk.call(f"/api/v1/templates/{slug}", if_none_match=before)
    assert (after.status_code, after.headers["etag"] != before) == (200, True)


async def test_a_thumbnail_is_a_picture(desk):
    slug = desk.write("seen", {"b.png": desk.pixel}, thumbnail="b.png")
    unseen = desk.write("unseen")
    await desk.seed()
    answer = await desk.call(f"/api/v1/templates/{slug}/thumbnail")
    assert (answer.content, answer.headers["content-type"]) == (desk.pixel, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await desk.shown(unseen))["thumbnailUrl"] is None
    assert (await desk.call(f"/api/v1/templates/{unseen}/thumbnail")).status_code == 404


async def test_an_api_key_needs_the_scope(desk):
    slug = desk.write("start")
    await desk.seed()
    for path in ("/api/v1/templates", f"/api/v1/templates/{slug}"):
        for scopes, status in (("registry:read", 200), ("projects:read", 403)):
            answer = await desk.call(
                path, user=uuid7(), x_auth_method="api_key", x_auth_scopes=scopes
            )
            assert answer.status_code == status


async def test_an_identity_without_the_secret_is_refused(desk):
    answer = await desk.call("/api/v1/templates", user=uuid7(), trusted=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert (await desk.call("/internal/templates/x", trusted=False)).status_code == 401


async def test_the_fleet_gets_all_that_a_project_starts_from(desk):
    variable = {
        "name": "title",
        "description": "The name.",
        "default": "Here",
        "maxLength": 20,
        "files": ["index.html"],
    }
    files = {"index.html": "<title>Here</title>ä".encode(), "assets/b.png": desk.pixel}
    slug = desk.write("start", files, variables=[variable], name="A start")
    await desk.seed()
    answer = await desk.call(f"/internal/templates/{slug}")
    assert answer.json() == {
        "id": slug,
        "name": "A start",
        "files": [
            {
                "path": "assets/b.png",
                "encoding": "base64",
                "content": "iVBORw0KGgoAbm90IG11Y2ggb2YgYSBwaWN0dXJl",
            },
            {"path": "index.html", "encoding": "utf-8", "content": "<title>Here</title>ä"},
        ],
        "variables": [variable],
    }
    template_id = (await desk.shown(slug))["id"]
    assert (await desk.call(f"/internal/templates/{template_id}")).json() == answer.json()
