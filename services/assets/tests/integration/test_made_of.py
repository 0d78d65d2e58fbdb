"""What was made out of an asset is needed for as long as the asset is, and goes with it."""

import pytest
from services.assets.tests import media

from assets.collection import service as collection
from common.errors import NotFoundError


@pytest.fixture
async def soon(serving, projects, desk):
    """The service, where what nothing needs is collected at once."""
    assert await projects.is_ready()
    async with serving(COLLECT_AFTER_S="0", COLLECT_PURGED_AFTER_S="0") as client:
        desk.client = client
        yield desk


async def pictured(desk, project, content, name="sky.png"):
    """An asset with a thumbnail and two smaller pictures; its id, and the hashes of all files."""
    asset = (await desk.upload(desk.owner, project, content, name)).json()["data"]
    path = f"/api/v1/assets/{asset['id']}/variants"
    for width in (32, 33):
        answer = await desk.call("GET", f"{path}?w={width}&format=png", desk.owner)
        assert answer.status_code == 302, answer.text
    await desk.preview()
    made = (await desk.call("GET", path, desk.owner)).json()["data"]
    assert len(made) == 3
    return asset["id"], [asset["sha256"], *[one["sha256"] for one in made]]


async def garbage(desk, project):
    """What the next turn would delete."""
    path = f"/api/v1/projects/{project}/assets/garbage"
    return (await desk.call("GET", path, desk.owner)).json()["data"]


async def there(desk, project, hashes):
    """Which of the hashes the object store has."""
    found = []
    for sha256 in hashes:
        try:
            await desk.means().storage.head("assets", f"{project}/{sha256}")
        except NotFoundError:
            continue
        found.append(sha256)
    return found


async def test_what_was_made_stays_and_goes_with_what_it_was_made_of(soon, projects):
    project = await soon.written(projects, a="nothing")
    content = media.drawn(size=(300, 200))
    asset, hashes = await pictured(soon, project, content)
    await collection.collect(soon.means())
    assert await there(soon, project, hashes) == hashes
    # it is counted, before and after
    used = (await garbage(soon, project))["used"]
    assert used > len(content)
    # a version of the past is still the asset's, and so is what was made of it
    await soon.version(soon.owner, asset, media.drawn(size=(30, 30)))
    await collection.collect(soon.means())
    assert await there(soon, project, hashes) == hashes
    await soon.call("DELETE", f"/api/v1/assets/{asset}?force=true", soon.owner)
    dry = await garbage(soon, project)
    assert {one["sha256"] for one in dry["blobs"]} >= set(hashes)
    assert dry["bytes"] == dry["used"]
    await collection.collect(soon.means())
    assert await there(soon, project, hashes) == []
    assert (await garbage(soon, project))["used"] == 0
    # sent again it is made again
    _, again = await pictured(soon, project, content)
    assert again == hashes
    assert await there(soon, project, hashes) == hashes


async def test_what_is_an_asset_too_stays(soon, projects):
    project = await soon.written(projects, a="nothing")
    asset, hashes = await pictured(soon, project, media.drawn(size=(310, 200)))
    made = await soon.means().storage.get("assets", f"{project}/{hashes[1]}")
    assert (await soon.upload(soon.owner, project, made, "small.png")).status_code == 201
    await soon.call("DELETE", f"/api/v1/assets/{asset}", soon.owner)
    await collection.collect(soon.means())
    assert await there(soon, project, hashes) == [hashes[1]]


async def test_what_is_larger_than_may_be_brought_here_has_nothing_made_of_it(serving, desk):
    project = await desk.project()
    sound = media.noise(50_000)
    asset = (await desk.upload(desk.owner, project, sound, "rain.wav")).json()["data"]
    async with serving(ASSET_BYTES_MAX="40000") as client:
        desk.client = client
        path = f"/api/v1/assets/{asset['id']}/optimize"
        answer = await desk.call("PUT", path, desk.owner, json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
        await desk.preview()
        shown = await desk.call("GET", f"/api/v1/assets/{asset['id']}", desk.owner)
    assert shown.json()["data"]["thumbnailUrl"] is None
