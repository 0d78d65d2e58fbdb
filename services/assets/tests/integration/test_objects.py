"""A presigned URL is good for as long as the right that it was made for."""

from urllib.parse import urlsplit
from uuid import UUID

import pytest

from assets.objects.types import Grant
from common.caller import NOBODY
from common.ids import uuid7


async def asked(desk, method, url) -> int:
    """What the gateway is told when somebody uses the URL."""
    parts = urlsplit(url)
    path = f"/internal/objects{parts.path}?{parts.query}"
    answer = await desk.client.request(method, path, headers=desk.headers(None))
    if answer.status_code != 200 and method != "HEAD":
        assert answer.json()["error"]["code"] == "FORBIDDEN"
    status: int = answer.status_code
    return status


async def download(desk, project, user) -> str:
    """A URL that reads an asset of the project from the store, made for a user."""
    asset = (await desk.upload(desk.owner, project, desk.png())).json()["data"]
    means = desk.means()
    url: str = await means.storage.signed_get(
        "assets",
        f"{project}/{asset['sha256']}",
        lifetime_s=300,
        marks=Grant(user or NOBODY, project).marks,
    )
    return url


async def upload(desk, project, user) -> str:
    """A URL that writes a file, made for a user."""
    body = {"projectId": str(project), "name": "b.png", "size": 3, "contentType": "image/png"}
    answer = await desk.call("POST", "/api/v1/assets/uploads", user, json=body)
    url: str = answer.json()["data"]["url"]
    return url


async def test_a_download_dies_with_the_membership(desk) -> None:
    project = await desk.project()
    url = await download(desk, project, desk.viewer)
    assert await asked(desk, "GET", url) == 200
    assert await asked(desk, "HEAD", url) == 200
    await desk.access(project, version=2, without=desk.viewer)
    assert await asked(desk, "GET", url) == 403
    assert await asked(desk, "HEAD", url) == 403
    await desk.access(project, version=3)
    assert await asked(desk, "GET", url) == 200
    await desk.access(project, version=4, is_deleted=True)
    assert await asked(desk, "GET", url) == 403


async def test_an_upload_dies_with_the_right_to_write(desk) -> None:
    project = await desk.project()
    url = await upload(desk, project, desk.editor)
    assert await asked(desk, "PUT", url) == 200
    assert await asked(desk, "PUT", await download(desk, project, desk.viewer)) == 403
    await desk.access(project, version=2, without=desk.editor)
    assert await asked(desk, "PUT", url) == 403


async def test_a_public_projects_downloads_are_good_while_it_is_public(desk) -> None:
    project = await desk.project(is_public=True)
    urls = [await download(desk, project, user) for user in (None, desk.stranger, desk.viewer)]
    assert f"x-grant={NOBODY}.{project}" in urls[0]
    assert [await asked(desk, "GET", url) for url in urls] == [200, 200, 200]
    assert await asked(desk, "PUT", urls[1]) == 403
    await desk.access(project, version=2)
    assert [await asked(desk, "GET", url) for url in urls] == [403, 403, 200]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_a_url_for_nothing_that_is_known_is_good_for_nothing(desk, method) -> None:
    project = await desk.project()
    for grant in (
        f"{desk.owner}.{uuid7()}",
        f"{desk.stranger}.{project}",
        f"{UUID(int=0)}.{project}",
        "",
        "x",
    ):
        answer = await desk.client.request(
            method, f"/internal/objects/assets/k?x-grant={grant}", headers=desk.headers(None)
        )
        assert answer.status_code == 403
    bare = await desk.client.request(
        method, "/internal/objects/assets/k", headers=desk.headers(None)
    )
    assert bare.status_code == 403


async def test_only_the_fleet_may_ask(desk) -> None:
    project = await desk.project()
    path = f"/internal/objects/assets/k?x-grant={desk.owner}.{project}"
    assert (await desk.client.get(path)).status_code == 401
    assert (await desk.client.get(path, headers={"x-fleet-secret": "guess"})).status_code == 401


async def test_who_may_not_use_a_url_may_not_make_another_of_it(desk, store) -> None:
    project = await desk.project()
    url = await download(desk, project, desk.viewer)
    assert (await store("GET", url)).status_code == 200
    mine = f"{desk.viewer}.{project}"
    other = await desk.project()
    forged = [
        url.replace(mine, f"{desk.owner}.{project}"),
        url.replace(mine, f"{desk.viewer}.{other}"),
        url.replace(f"x-grant={mine}&", ""),
        f"{url}&x-grant={desk.owner}.{project}",
        url.replace("?", f"?x-grant={desk.owner}.{project}&"),
        f"{url}&other=1",
    ]
    assert [(await store("GET", u)).status_code for u in forged] == [403] * len(forged)
    # the store passes over what it cannot decode: the service must see it
    passed_over = f"{url}&x-grant={desk.owner}.{project}%zz"
    assert (await store("GET", passed_over)).status_code == 200
    assert await asked(desk, "GET", passed_over) == 403
    assert (await store("PUT", url, content=b"x")).status_code == 403
