"""Bad files at the door: each is answered with what is wrong with it, and the service goes on."""

import asyncio
import zlib

import pytest
from services.assets.tests import media

from common.testing.waiting import until

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
WRONG = "UNSUPPORTED_MEDIA_TYPE"
INVALID = "VALIDATION_ERROR"
MIB = 1 << 20
INFLATING = zlib.compress(b"\0" * 64 * MIB, 9)

BAD = [
    ("a page for a picture", "a.png", "image/png", HTML, 415, WRONG),
    ("a drawing for a picture", "a.png", "image/png", SVG, 415, WRONG),
    ("a page for a drawing", "a.svg", "image/svg+xml", HTML, 415, WRONG),
    ("a moving page", "a.html", "text/html", b"GIF89a" + HTML, 415, WRONG),
    ("a moving page by its other name", "a.gif", "image/gif", b"GIF89a" + HTML, 415, WRONG),
    ("a program for a sound", "a.mp3", "audio/mpeg", b"\x7fELF\2\1\1\0", 415, WRONG),
    ("an archive for a picture", "a.png", "image/png", b"PK\3\4" + media.drawn(), 415, WRONG),
    ("a picture for a sound", "a.wav", "audio/wav", media.drawn(), 415, WRONG),
    ("a sound for a font", "a.woff2", "font/woff2", media.wav(), 415, WRONG),
    ("50k x 50k", "a.png", "", media.png(50_000, 50_000), 400, "IMAGE_TOO_LARGE"),
    ("no width", "a.png", "", media.png(0, 9), 415, WRONG),
    (
        "a text that inflates",
        *("a.png", ""),
        media.png(4, 4, media.chunk(b"zTXt", b"a\0\0" + INFLATING)),
        *(415, WRONG),
    ),
    (
        "a profile that inflates",
        *("a.png", ""),
        media.png(4, 4, media.chunk(b"iCCP", b"a\0\0" + INFLATING)),
        *(415, WRONG),
    ),
    ("a font that inflates", "a.woff2", "", media.woff2_bomb(2 << 30), 422, "MEDIA_TOO_DEMANDING"),
    ("a sound cut off", "a.flac", "", media.sound("flac", "flac")[:60], 415, WRONG),
    ("a sound without sound", "a.wav", "", media.wav()[:44], 415, WRONG),
    ("a film cut off", "a.mp4", "", media.film()[:200], 415, WRONG),
    ("a font cut off", "a.ttf", "", media.font()[:90], 415, WRONG),
    ("half a model", "a.glb", "", media.glb()[:40], 415, WRONG),
    ("a model of nothing", "a.gltf", "", b'{"asset": 3}', 415, WRONG),
    ("no bytes", "a.png", "image/png", b"", 400, INVALID),
    ("a name with a slash", "a/b.png", "", media.drawn(), 400, INVALID),
    ("a name with a backslash", "a\\b.png", "", media.drawn(), 400, INVALID),
    ("a name with a line in it", "a\nb.png", "", media.drawn(), 400, INVALID),
    ("a name with another line", "a\u2028b.png", "", media.drawn(), 400, INVALID),
    ("a name with nothing in it", "a\0b.png", "", media.drawn(), 400, INVALID),
    ("a name that climbs", "../a.png", "", media.drawn(), 400, INVALID),
]


@pytest.mark.parametrize(
    ("name", "declared", "content", "status", "code"),
    [row[1:] for row in BAD],
    ids=[row[0] for row in BAD],
)
async def test_a_bad_file_is_answered_with_what_is_wrong(
    desk, name, declared, content, status, code
):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, content, "x", declared, name=name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert await desk.listed(project) == []
    assert await desk.events(project) == []
    well = await desk.upload(desk.editor, project, media.drawn())
    assert well.status_code == 201, well.text


SAFE = [
    ("a drawing with a script", "a.svg", SVG, "image/svg+xml"),
    ("a page", "a.html", HTML, "text/html"),
    ("a picture with an archive behind it", "a.png", media.drawn() + b"PK\3\4zip", "image/png"),
    ("a picture with a page behind it", "a.gif", media.animated() + HTML, "image/gif"),
    ("a picture that inflates", "a.png", media.png(9, 9, rows=b"\0" * 64 * MIB), "image/png"),
]


@pytest.mark.parametrize(
    ("name", "content", "found"), [row[1:] for row in SAFE], ids=[row[0] for row in SAFE]
)
async def test_what_is_two_things_is_served_as_the_harmless_one(desk, name, content, found):
    project = await desk.project(is_public=True)
    answer = await desk.upload(desk.editor, project, content, name)
    assert answer.status_code == 201, answer.text
    asset = answer.json()["data"]
    assert asset["mimeType"] == found
    served = await desk.client.get(
        asset["url"].removeprefix("http://localhost:8080"), headers=desk.headers(None)
    )
    assert served.headers["content-type"].partition(";")[0] == found
    assert served.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in served.headers["content-security-policy"]


async def test_whoever_comes_while_too_many_wait_is_told_to_come_again(serving, desk):
    project = await desk.project()
    async with serving(STUDIO_PROCESSES="1", STUDIO_WAITING_MAX="1") as client:
        desk.client = client
        uploads = [
            desk.upload(desk.editor, project, media.drawn(size=(9, n + 1)), f"{n}.png")
            for n in range(12)
        ]
        answers = await asyncio.gather(*uploads)
    refused = [a for a in answers if a.status_code != 201]
    assert {a.status_code for a in refused} == {503}
    assert all("retry-after" in a.headers for a in refused)
    assert len(refused) < 12


async def test_a_worker_that_dies_is_replaced(serving, desk):
    project = await desk.project()
    async with serving(STUDIO_PROCESSES="1") as client:
        desk.client = client
        first = await desk.upload(desk.editor, project, media.drawn(), "a.png")
        idle = desk.means().studio._idle  # noqa: SLF001 - nobody else has them by the hand

        async def resting():
            return list(idle)

        [worker] = await until(resting)
        await worker.end()
        second = await desk.upload(desk.editor, project, media.drawn(size=(3, 3)), "b.png")
    assert (first.status_code, second.status_code) == (201, 201)
