"""Smaller pictures and thumbnails: made once, never larger than the original."""

import asyncio
import io

import pytest
from PIL import Image
from services.assets.tests import media

from assets.previews import repository
from common.ids import uuid7
from common.testing.waiting import until


def code(answer):
    return answer.json()["error"]["code"]


async def uploaded(desk, content=None, name="a.png", *, is_public=False, **size):
    """The id of an asset in a project of its own."""
    project = await desk.project(is_public=is_public)
    answer = await desk.upload(desk.editor, project, content or media.drawn(**size), name)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["id"]


async def asked(desk, asset, query="", user=None, **headers):
    path = f"/api/v1/assets/{asset}/variants?{query}"
    return await desk.call("GET", path, user or desk.viewer, **headers)


async def seen(store, answer):
    """The picture behind a redirect."""
    assert answer.status_code == 302, answer.text
    found = await store("GET", answer.headers["location"])
    assert found.status_code == 200, found.text
    return found, Image.open(io.BytesIO(found.content))


@pytest.mark.parametrize("kind", ["webp", "avif", "png", "jpeg"])
async def test_a_picture_is_to_be_had_smaller_in_every_format(desk, store, kind):
    asset = await uploaded(desk, size=(640, 320))
    answer = await asked(desk, asset, f"w=256&format={kind}")
    found, image = await seen(store, answer)
    assert found.headers["content-type"] == f"image/{kind}"
    assert (image.format, image.size) == (kind.upper(), (256, 128))
    assert answer.content == b""
    assert "vary" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "mode", "kind"),
    [
        ("image/avif,image/webp,*/*", "RGB", "AVIF"),
        ("image/webp,*/*", "RGB", "WEBP"),
        ("*/*", "RGB", "JPEG"),
        ("*/*", "RGBA", "PNG"),
    ],
)
async def test_without_a_format_it_is_one_that_the_caller_takes(desk, store, accept, mode, kind):
    asset = await uploaded(desk, media.drawn(mode=mode))
    answer = await asked(desk, asset, "w=16", accept=accept)
    _, image = await seen(store, answer)
    assert image.format == kind
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("query", "size"),
    [("w=4096", (64, 32)), ("w=32&h=32", (32, 16)), ("h=16", (32, 16)), ("w=16&h=4000", (16, 8))],
)
async def test_a_picture_fits_into_the_box_and_is_never_enlarged(desk, store, query, size):
    asset = await uploaded(desk, size=(64, 32))
    _, image = await seen(store, await asked(desk, asset, f"{query}&format=png"))
    assert image.size == size


@pytest.mark.parametrize(
    "query", ["w=100000", "w=0", "w=-1", "h=4097", "w=15", "w=many", "format=tiff"]
)
async def test_a_box_beyond_the_limits_is_refused(desk, query):
    asset = await uploaded(desk)
    answer = await asked(desk, asset, query)
    assert (answer.status_code, code(answer)) == (400, "VALIDATION_ERROR"), answer.text


async def test_a_variant_is_made_once_and_listed(desk, store):
    asset = await uploaded(desk, size=(90, 30))
    many = await asyncio.gather(*[asked(desk, asset, "w=32&format=webp") for _ in range(8)])
    keys = {a.headers["location"].partition("?")[0] for a in many}
    assert len(keys) == 1
    # one that would be larger than the original is the original's size, whatever was asked
    for width in (90, 100, 4_000):
        await asked(desk, asset, f"w={width}&format=webp")
    listed = await asked(desk, asset)
    assert listed.status_code == 200
    small, whole = listed.json()["data"]
    assert small["options"] == "w=32&format=webp"
    assert small["mimeType"] == "image/webp"
    assert small["metadata"] == {"width": 32, "height": 11}
    assert whole["metadata"] == {"width": 90, "height": 30}
    found = await store("GET", small["url"])
    assert desk.sha256(found.content) == small["sha256"]
    assert len(found.content) == small["size"]


async def test_the_same_bytes_under_another_name_have_the_same_variants(desk):
    project = await desk.project()
    ids = []
    for name in ("a.png", "b.png"):
        answer = await desk.upload(desk.editor, project, media.drawn(size=(70, 7)), name)
        ids.append(answer.json()["data"]["id"])
    await asked(desk, ids[0], "w=20&format=png")
    listed = await asked(desk, ids[1])
    assert [v["options"] for v in listed.json()["data"]] == ["w=20&format=png"]


async def test_only_who_may_see_the_asset_has_its_variants(desk):
    asset = await uploaded(desk)
    for query in ("", "w=32"):
        stranger = await asked(desk, asset, query, desk.stranger)
        assert (stranger.status_code, code(stranger)) == (404, "NOT_FOUND")


async def test_of_a_public_picture_strangers_have_what_members_had_made(desk):
    public = await uploaded(desk, is_public=True)
    refused = await asked(desk, public, "w=32&format=png", desk.stranger)
    assert (refused.status_code, code(refused)) == (403, "FORBIDDEN")
    assert (await asked(desk, public, "w=32&format=png", desk.viewer)).status_code == 302
    assert (await asked(desk, public, "w=32&format=png", desk.stranger)).status_code == 302


async def test_what_is_no_picture_has_no_variants(desk):
    asset = await uploaded(desk, media.wav(), "a.wav")
    answer = await asked(desk, asset, "w=32")
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (await asked(desk, asset)).json()["data"] == []


async def test_there_are_no_more_variants_than_may_be(serving, desk):
    async with serving(VARIANTS_MAX="2") as client:
        desk.client = client
        asset = await uploaded(desk, size=(99, 9))
        answers = [await asked(desk, asset, f"w={w}&format=png") for w in (20, 21, 22, 20)]
    assert [a.status_code for a in answers] == [302, 302, 403, 302]
    assert code(answers[2]) == "QUOTA_EXCEEDED"


async def test_without_the_object_store_nothing_is_half_made(serving, desk):
    asset = await uploaded(desk, size=(88, 8))
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        usual, desk.client = desk.client, client
        answer = await asked(desk, asset, "w=32&format=png")
        desk.client = usual
    assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
    assert (await asked(desk, asset)).json()["data"] == []
    assert (await asked(desk, asset, "w=32&format=png")).status_code == 302


SHOWN = [
    ("a.png", media.drawn(size=(900, 300)), (256, 85)),
    ("a.wav", media.wav(), (256, 64)),
    ("a.mp4", media.film(size=(512, 256)), (256, 128)),
    ("a.woff2", media.font("woff2"), None),
]


@pytest.mark.parametrize(("name", "content", "size"), SHOWN, ids=[row[0] for row in SHOWN])
async def test_a_thumbnail_is_there_after_a_while(desk, store, name, content, size):
    asset = await uploaded(desk, content, name)
    path = f"/api/v1/assets/{asset}"
    early = await desk.call("GET", path, desk.viewer)
    assert early.json()["data"]["thumbnailUrl"] is None
    assert (await desk.call("GET", f"{path}/thumbnail", desk.viewer)).status_code == 404
    await desk.preview()
    shown = (await desk.call("GET", path, desk.viewer)).json()["data"]
    assert shown["thumbnailUrl"] == f"http://localhost:8080{path}/thumbnail"
    answer = await desk.call("GET", f"{path}/thumbnail", desk.viewer)
    _, image = await seen(store, answer)
    assert image.format == "WEBP"
    assert size is None or image.size == size
    refused = await desk.call("GET", f"{path}/thumbnail", desk.stranger)
    assert refused.status_code == 404


async def test_a_thumbnail_is_news_and_no_change(desk):
    path = f"/api/v1/assets/{await uploaded(desk, size=(81, 7))}"
    early = await desk.call("GET", path, desk.viewer)
    await desk.preview()
    known = {"if-none-match": early.headers["etag"]}
    late = await desk.call("GET", path, desk.viewer, **known)
    assert late.status_code == 200
    assert late.json()["data"]["thumbnailUrl"]
    same = {"if-none-match": late.headers["etag"]}
    assert (await desk.call("GET", path, desk.viewer, **same)).status_code == 304
    held = {"if-match": early.headers["etag"]}
    changed = await desk.call("PATCH", path, desk.editor, json={"name": "b.png"}, **held)
    assert changed.status_code == 200
    again = await desk.call("PATCH", path, desk.editor, json={"name": "c.png"}, **held)
    assert again.status_code == 412


async def test_what_shows_nothing_has_no_thumbnail_and_is_not_tried_for_ever(desk):
    drawing = await uploaded(desk, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg")
    broken = await uploaded(desk, desk.png(40, 4_000), "b.png")
    await desk.preview()
    for asset in (drawing, broken):
        shown = await desk.call("GET", f"/api/v1/assets/{asset}", desk.viewer)
        assert shown.json()["data"]["thumbnailUrl"] is None


async def due(desk):
    """Let every thumbnail be due."""
    pool = desk.means().db._pool  # noqa: SLF001 - time cannot be waited for
    await pool.execute("UPDATE preview SET held_until = now()")


async def test_a_thumbnail_whose_maker_died_is_made_by_the_next_one(desk):
    await desk.preview()
    asset = await uploaded(desk, size=(77, 7))
    taken = await repository.claim(desk.means().db, uuid7(), 3_600)
    assert taken is not None
    await desk.preview()
    path = f"/api/v1/assets/{asset}"
    assert (await desk.call("GET", path, desk.viewer)).json()["data"]["thumbnailUrl"] is None
    await due(desk)
    await desk.preview()
    assert (await desk.call("GET", path, desk.viewer)).json()["data"]["thumbnailUrl"]


async def test_a_thumbnail_waits_for_the_object_store(serving, desk):
    # what others left is no matter of this
    await desk.preview()
    asset = await uploaded(desk, size=(78, 7))
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        usual, desk.client = desk.client, client
        await desk.preview()
        desk.client = usual
    await due(desk)
    await desk.preview()
    shown = await desk.call("GET", f"/api/v1/assets/{asset}", desk.viewer)
    assert shown.json()["data"]["thumbnailUrl"]


async def test_the_service_makes_thumbnails_by_itself(serving, desk):
    async with serving(PREVIEWS_AT_ONCE="1", PREVIEW_POLL_S="0.1") as client:
        desk.client = client
        asset = await uploaded(desk, size=(79, 7))

        async def shown():
            answer = await desk.call("GET", f"/api/v1/assets/{asset}", desk.viewer)
            return answer.json()["data"]["thumbnailUrl"]

        assert await until(shown, within_s=60)
