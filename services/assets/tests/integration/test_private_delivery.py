"""The bytes of private projects: by an address that is signed for one member, for a while."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from common.ids import uuid7

GATEWAY = "http://localhost:8080"


async def address(desk, project, user, content=None, name="ball.png") -> str:
    """Upload a file; return the path that a download of it leads the user to."""
    content = content or desk.png(filler=b"private")
    asset = (await desk.upload(desk.owner, project, content, name)).json()["data"]
    answer = await desk.call("GET", f"/api/v1/assets/{asset['id']}/download", user)
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "private, no-store"
    url: str = answer.headers["location"]
    assert url.startswith(f"{GATEWAY}/cdn/{asset['sha256']}/")
    return url.removeprefix(GATEWAY)


async def get(desk, path, method="GET", **headers):
    return await desk.call(method, path, None, **headers)


async def test_a_signed_address_gives_the_bytes_and_no_other_cache_keeps_them(desk):
    project = await desk.project()
    content = desk.png(filler=b"signed")
    path = await address(desk, project, desk.viewer, content)
    answer = await get(desk, path)
    assert (answer.status_code, answer.content) == (200, content)
    how, age = answer.headers["cache-control"].split(", max-age=")
    assert how == "private"
    assert 0 < int(age) <= 300
    assert answer.headers["etag"] == f'"{desk.sha256(content)}"'
    assert answer.headers["content-disposition"].startswith('attachment; filename="ball.png"')
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "sandbox" in answer.headers["content-security-policy"]
    for tag in ("cache-tag", "surrogate-key", "set-cookie"):
        assert tag not in answer.headers
    head = await get(desk, path, "HEAD")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(content)))
    part = await get(desk, path, range="bytes=0-3")
    assert (part.status_code, part.content) == (206, content[:4])
    known = await get(desk, path, if_none_match=answer.headers["etag"])
    assert known.status_code == 304
    assert known.headers["cache-control"].startswith("private")


async def test_a_browser_that_asks_twice_is_led_to_the_same_address(desk):
    project = await desk.project()
    first = await address(desk, project, desk.viewer)
    again = await address(desk, project, desk.viewer)
    assert urlsplit(first).path == urlsplit(again).path
    # they differ only where a new half of the lifetime began in between
    if first != again:
        assert await address(desk, project, desk.viewer) == again
    assert await address(desk, project, desk.editor) != again


async def test_the_address_dies_with_the_membership_at_once(desk):
    project = await desk.project()
    path = await address(desk, project, desk.viewer)
    assert (await get(desk, path)).status_code == 200
    await desk.access(project, version=2, without=desk.viewer)
    refused = await get(desk, path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert refused.headers["cache-control"] == "no-store"
    assert (await get(desk, path, "HEAD")).status_code == 403
    assert (await get(desk, path, if_none_match="*")).status_code == 403
    await desk.access(project, version=3)
    assert (await get(desk, path)).status_code == 200
    await desk.access(project, version=4, is_deleted=True)
    assert (await get(desk, path)).status_code == 403


async def test_the_address_expires(serving, desk):
    project = await desk.project()
    async with serving(DOWNLOAD_LIFETIME_S="0") as client:
        desk.client = client
        path = await address(desk, project, desk.viewer)
        given = dict(parse_qsl(urlsplit(path).query))
        late = path.replace(f"exp={given['exp']}", "exp=1")
        assert (await get(desk, late)).status_code == 403
        expired = client.app.state.means
        grant = given["x-grant"].split(".")
        assert grant == [str(desk.viewer), str(project)]
        assert expired.settings.download_lifetime_s == 0


async def test_a_forged_or_moved_address_is_refused(desk):
    project, other = await desk.project(), await desk.project()
    path = await address(desk, project, desk.viewer)
    strange = desk.png(filler=b"of the other project")
    await desk.upload(desk.owner, other, strange)
    query = urlsplit(path).query
    given = dict(parse_qsl(query))
    sha256 = urlsplit(path).path.split("/")[2]
    mine = f"{desk.viewer}.{project}"
    last = given["sig"][-1]
    forged = [
        # another file, also of a project that the caller is in
        path.replace(sha256, desk.sha256(strange)),
        # another member, another project, nobody
        path.replace(mine, f"{desk.owner}.{project}"),
        path.replace(mine, f"{desk.viewer}.{other}"),
        path.replace(mine, f"{uuid7()}.{project}"),
        path.replace(mine, ""),
        path.replace(f"x-grant={mine}&", ""),
        # later
        path.replace(f"exp={given['exp']}", f"exp={int(given['exp']) + 1}"),
        path.replace(f"exp={given['exp']}", f"exp=0{given['exp']}x"),
        path.replace(f"exp={given['exp']}", f"exp=+{given['exp']}"),
        path.replace(f"exp={given['exp']}&", ""),
        # another signature, none, half of one, two
        path.replace(
            f"sig={given['sig']}", f"sig={given['sig'][:-1]}{'A' if last != 'A' else 'B'}"
        ),
        path.replace(f"sig={given['sig']}", f"sig={given['sig'][:-1]}"),
        path.replace(f"sig={given['sig']}", "sig="),
        path.replace(f"sig={given['sig']}", "s=1"),
        f"{path}&sig={given['sig']}",
        f"{path}&exp={given['exp']}",
        f"{path}&x-grant={mine}",
        path.replace("?", f"?x-grant={desk.owner}.{project}&"),
        f"{path}&%78-grant={desk.owner}.{project}",
    ]
    assert (await get(desk, path)).status_code == 200
    for one in forged:
        answer = await get(desk, one)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), one


async def test_another_name_is_the_same_file(desk):
    project = await desk.project()
    content = desk.png(filler=b"name")
    path = await address(desk, project, desk.viewer, content)
    renamed = path.replace("/ball.png?", "/other%20one.png?")
    answer = await get(desk, renamed)
    assert (answer.status_code, answer.content) == (200, content)
    assert "other one.png" in answer.headers["content-disposition"]


async def test_without_a_signature_a_foreign_projects_bytes_are_not_there(desk):
    project = await desk.project()
    path = await address(desk, project, desk.viewer)
    bare = path.partition("?")[0]
    for user in (None, desk.stranger, desk.viewer, desk.owner):
        answer = await desk.call("GET", bare, user)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (await get(desk, f"{bare}?download=1")).status_code == 404
    assert (await get(desk, bare, if_none_match="*")).status_code == 404


async def test_a_signature_of_another_key_is_none(serving, desk):
    project = await desk.project()
    path = await address(desk, project, desk.viewer)
    other = {"CDN_SECRET": "another one"}
    async with serving(**other) as client:
        desk.client = client
        assert (await get(desk, path)).status_code == 403
        assert (await get(desk, await address(desk, project, desk.viewer))).status_code == 200


@pytest.mark.parametrize("user", ["stranger", "viewer", "nobody"])
async def test_a_public_projects_download_is_everybodys(desk, user):
    project = await desk.project(is_public=True)
    who = None if user == "nobody" else getattr(desk, user)
    content = desk.png(filler=user.encode())
    path = await address(desk, project, who, content)
    assert urlsplit(path).query == "download=1"
    answer = await get(desk, path)
    assert answer.content == content
    assert answer.headers["cache-control"].startswith("public")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    await desk.access(project, version=2)
    assert (await get(desk, path)).status_code == 404


async def test_another_address_for_bytes_is_the_one_that_assets_name(serving, desk):
    async with serving(CDN_URL="https://cdn.games.example") as client:
        desk.client = client
        public = await desk.project(is_public=True)
        content = desk.png(filler=b"cdn url")
        asset = (await desk.upload(desk.owner, public, content)).json()["data"]
        assert asset["url"] == f"https://cdn.games.example/cdn/{asset['sha256']}/ball.png"
        private = await desk.project()
        asset = (await desk.upload(desk.owner, private, content)).json()["data"]
        # who is asked about the caller is the gateway alone
        assert asset["url"] == f"{GATEWAY}/api/v1/assets/{asset['id']}/download"
        led = await desk.call("GET", f"/api/v1/assets/{asset['id']}/download", desk.viewer)
        assert led.headers["location"].startswith("https://cdn.games.example/cdn/")
        path = led.headers["location"].removeprefix("https://cdn.games.example")
        assert (await get(desk, path)).content == content
