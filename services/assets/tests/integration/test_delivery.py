"""Delivery: the bytes of public projects, safe to open and kept for ever."""

import asyncio
import io
import struct

import msgspec
import pytest
from PIL import Image
from services.assets.tests import media


def encoded(kind):
    """A small picture of a kind."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, kind)
    return file.getvalue()


GIF, PNG = encoded("GIF"), encoded("PNG")


async def shared(desk, content, name="ball.png"):
    """Upload a file to a public project; return its asset and the path it is delivered at."""
    project = await desk.project(is_public=True)
    answer = await desk.upload(desk.editor, project, content, name)
    asset = answer.json()["data"]
    assert asset["url"].startswith(f"http://localhost:8080/cdn/{asset['sha256']}/"), answer.text
    return project, asset, asset["url"].removeprefix("http://localhost:8080")


async def get(desk, path, method="GET", **headers):
    return await desk.call(method, path, None, **headers)


async def test_public_bytes_are_immutable_and_sealed(desk):
    content = desk.png(filler=b"public")
    _, asset, path = await shared(desk, content)
    answer = await get(desk, path)
    assert (answer.status_code, answer.content) == (200, content)
    headers = answer.headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(content))
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["etag"] == f'"{asset["sha256"]}"'
    assert headers["accept-ranges"] == "bytes"
    assert "set-cookie" not in headers
    cached = await get(desk, path, if_none_match=headers["etag"])
    assert (cached.status_code, cached.content) == (304, b"")
    head = await get(desk, path, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(content))
    anyhow = await get(desk, f"/cdn/{asset['sha256']}/another-name.png")
    assert anyhow.content == content


@pytest.mark.parametrize(
    ("asked", "status", "first", "end"),
    [
        ("bytes=0-3", 206, 0, 4),
        ("bytes=10-", 206, 10, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=1-999999", 206, 1, None),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=-999999", 206, 0, None),
        ("bytes=0-", 206, 0, None),
        ("bytes= 0-1", 200, 0, None),
        ("bytes=--1", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("bytes=0-99999999999999999999999", 200, 0, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=5-2", 200, 0, None),
    ],
)
async def test_a_part_of_the_bytes(desk, asked, status, first, end):
    content = desk.png(filler=b"parts")
    _, _, path = await shared(desk, content)
    answer = await get(desk, path, range=asked)
    wanted = content[first:end]
    assert (answer.status_code, answer.content) == (status, wanted)
    if status == 206:
        start = content.index(wanted)
        last = start + len(wanted) - 1
        assert answer.headers["content-range"] == f"bytes {start}-{last}/{len(content)}"


async def test_a_part_beyond_the_end_and_of_something_else(desk):
    content = desk.png(filler=b"beyond")
    _, asset, path = await shared(desk, content)
    for part in (f"bytes={len(content)}-", "bytes=99999-", "bytes=-0"):
        beyond = await get(desk, path, range=part)
        assert (beyond.status_code, beyond.content) == (416, b"")
        assert beyond.headers["content-range"] == f"bytes */{len(content)}"
    other = await get(desk, path, range="bytes=0-1", if_range='"other"')
    assert (other.status_code, other.content) == (200, content)
    same = await get(desk, path, range="bytes=0-1", if_range=f'"{asset["sha256"]}"')
    assert same.status_code == 206


async def test_private_bytes_are_not_delivered(desk):
    content = desk.png(filler=b"secret")
    project = await desk.project()
    await desk.upload(desk.editor, project, content)
    path = f"/cdn/{desk.sha256(content)}/ball.png"
    assert (await get(desk, path)).status_code == 404
    await desk.access(project, version=2, is_public=True)
    assert (await get(desk, path)).status_code == 200
    await desk.access(project, version=3)
    assert (await get(desk, path)).status_code == 404


async def test_deleted_bytes_are_not_delivered(desk):
    _, asset, path = await shared(desk, desk.png(filler=b"deleted"))
    await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    assert (await get(desk, path)).status_code == 410


@pytest.mark.parametrize("sha256", ["x", "0" * 64, "../../etc", "%00"])
async def test_a_hash_that_is_none(desk, sha256):
    assert (await get(desk, f"/cdn/{sha256}/a.png")).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "content_type", "is_saved"),
    [
        ("page.html", b"<html><script>1</script></html>", "text/html; charset=utf-8", True),
        ("page.xhtml", b"<html xmlns='x'><script/></html>", "text/html; charset=utf-8", True),
        ("icon.svg", b"<svg><script>1</script></svg>", "image/svg+xml", True),
        ("late.svg", b"<!-- " + b"x" * 70_000 + b"--><svg onload='1'/>", "application/xml", True),
        ("a.xml", b"<?xml version='1.0'?><x/>", "application/xml", True),
        ("doc.pdf", b"%PDF-1.7", "application/pdf", True),
        ("run.js", b"alert(1)", "text/javascript; charset=utf-8", True),
        ("look.css", b"a { b: c }", "text/css; charset=utf-8", True),
        ("readme.md", b"<script>1</script>", "text/markdown; charset=utf-8", True),
        ("notes.txt", b"<script>2</script>", "text/plain; charset=utf-8", False),
        ("level.json", b'{"<script>": 1}', "application/json", False),
        ("both.gif", GIF + b"<script>1</script>", "image/gif", False),
        ("both.png", PNG + b"<html><script>1</script>", "image/png", False),
        ("both.wav", media.wav() + b"<svg onload='1'>", "audio/wav", False),
        ("both.pdf.js", b"/*%PDF-1.7*/alert(1)", "text/javascript; charset=utf-8", True),
        ("tool", b"\x7fELF\2\1\1\0", "application/octet-stream", True),
        ("pack.zip", b"PK\3\4<html>", "application/zip", True),
        ("code.wasm", b"\0asm\1\0\0\0", "application/wasm", True),
    ],
)
async def test_what_could_run_is_sealed(desk, name, content, content_type, is_saved):
    project = await desk.project(is_public=True)
    answer = await desk.upload(desk.editor, project, content, name)
    if answer.status_code != 201:
        assert answer.status_code in {400, 415}, answer.text
        answer = await desk.upload(desk.editor, project, content, name + ".bin")
    asset = answer.json()["data"]
    # whatever name is asked for, and whatever is asked to be accepted
    for path in (f"/cdn/{asset['sha256']}/{name}", f"/cdn/{asset['sha256']}/x.html"):
        answer = await get(desk, path, accept="text/html", sec_fetch_dest="document")
        assert answer.status_code == 200
        assert answer.content == content
        assert answer.headers["content-type"] == content_type
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].endswith("; sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (answer.headers.get("content-disposition") == "attachment") is is_saved


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("car.glb", media.glb(), "model/gltf-binary"),
        ("car.gltf", msgspec.json.encode(media.gltf()), "model/gltf+json"),
        ("car.obj", b"v 0 0 0", "model/obj"),
        (
            "skin.ktx2",
            b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<17I", 0, 1, 4, 4, *[0] * 13),
            "image/ktx2",
        ),
        ("skin.avif", encoded("AVIF"), "image/avif"),
        ("hit.ogg", media.sound("ogg", "libopus", 0.2), "audio/ogg"),
        ("hit.opus", media.sound("ogg", "libopus"), "audio/ogg"),
        ("film.webm", media.film("webm", "libvpx"), "video/webm"),
        ("type.woff2", media.font("woff2"), "font/woff2"),
        ("type.otf", media.postscript(), "font/otf"),
        ("code.wasm", b"\0asm\1\0\0\0", "application/wasm"),
    ],
)
async def test_what_a_game_loads_has_its_own_type(desk, name, content, content_type):
    _, _, path = await shared(desk, content, name)
    answer = await get(desk, path)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_of_two_types_of_the_same_bytes_the_name_decides(desk):
    content = b"the same, whatever it is called"
    project = await desk.project(is_public=True)
    for name in ("a.txt", "b.md", "c.css"):
        assert (await desk.upload(desk.editor, project, content, name)).status_code == 201
    sha256 = desk.sha256(content)
    types = {
        name: (await get(desk, f"/cdn/{sha256}/{name}")).headers["content-type"]
        for name in ("a.txt", "b.md", "c.css")
    }
    wanted = {"a.txt": "text/plain", "b.md": "text/markdown", "c.css": "text/css"}
    assert types == {name: f"{kind}; charset=utf-8" for name, kind in wanted.items()}


async def test_caches_are_told_what_to_forget_it_by(desk):
    project, asset, path = await shared(desk, desk.png(filler=b"tags"))
    answer = await get(desk, path)
    tags = [f"project-{project}", f"sha256-{asset['sha256']}"]
    assert answer.headers["cache-tag"].split(",") == tags
    assert answer.headers["surrogate-key"].split(" ") == tags
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_refusal_is_not_cached(desk):
    content = desk.png(filler=b"refused")
    _, _, path = await shared(desk, content)
    for answer in (
        await get(desk, f"/cdn/{'1' * 64}/a.png"),
        await get(desk, f"{path}?exp=1&sig=x"),
        await get(desk, path, range="bytes=99999-"),
        await get(desk, path, if_match='"other"'),
    ):
        assert answer.status_code >= 400
        assert answer.headers["cache-control"] == "no-store"


async def test_conditions_on_the_entity_tag(desk):
    content = desk.png(filler=b"conditions")
    _, asset, path = await shared(desk, content)
    tag = f'"{asset["sha256"]}"'
    for known in (tag, f"W/{tag}", f'"a", {tag}', "*"):
        answer = await get(desk, path, if_none_match=known)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"].startswith("public")
        assert "content-length" not in answer.headers
    assert (await get(desk, path, if_none_match='"a"')).status_code == 200
    assert (await get(desk, path, if_match=tag)).status_code == 200
    assert (await get(desk, path, if_match="*")).status_code == 200
    for other in ('"a"', f"W/{tag}"):
        answer = await get(desk, path, if_match=other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    # a weak tag, a time: neither says which bytes there are a part of
    for weak in (f"W/{tag}", "Sun, 29 Nov 2026 00:00:00 GMT"):
        answer = await get(desk, path, range="bytes=0-1", if_range=weak)
        assert (answer.status_code, answer.content) == (200, content)


async def test_a_head_is_never_of_a_part(desk):
    content = desk.png(filler=b"head")
    _, _, path = await shared(desk, content)
    answer = await get(desk, path, "HEAD", range="bytes=0-1")
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(content)))


async def test_what_is_too_large_for_memory_comes_from_the_store(serving, desk):
    content = desk.png(filler=b"large" * 100_000)
    _, _, path = await shared(desk, content)
    async with serving(DELIVERY_MEMORY_BYTES="1000") as client:
        desk.client = client
        assert (await get(desk, path)).content == content
        assert client.app.state.stock.shelf.find((desk.sha256(content), None)) is None
        part = await get(desk, path, range="bytes=400000-")
        assert (part.status_code, part.content) == (206, content[400_000:])
        last = await get(desk, path, range=f"bytes={len(content) - 1}-")
        assert last.content == content[-1:]


async def test_what_is_in_memory_is_still_asked_about(desk):
    content = desk.png(filler=b"in memory")
    project, asset, path = await shared(desk, content)
    assert (await get(desk, path)).content == content
    shelf = desk.client.app.state.stock.shelf
    assert shelf.find((asset["sha256"], None)) == content
    await desk.access(project, version=2)
    assert (await get(desk, path)).status_code == 404
    await desk.access(project, version=3, is_public=True)
    await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    assert (await get(desk, path)).status_code == 410


async def test_many_at_once_are_one_reading_of_the_store(desk):
    content = desk.png(filler=b"many at once")
    _, _, path = await shared(desk, content)
    answers = await asyncio.gather(*[get(desk, path) for _ in range(40)])
    assert {answer.content for answer in answers} == {content}


async def test_without_the_object_store_delivery_is_unavailable(serving, desk):
    _, _, path = await shared(desk, desk.png(filler=b"down"))
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        answer = await get(desk, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")


async def test_a_version_of_the_past_is_delivered_as_long_as_its_asset_is_there(desk):
    first, second = desk.png(filler=b"then"), desk.png(filler=b"now")
    _, asset, path = await shared(desk, first)
    answer = await desk.version(desk.owner, asset["id"], second)
    assert answer.status_code == 201
    now = f"/cdn/{desk.sha256(second)}/ball.png"
    assert [(await get(desk, one)).content for one in (path, now)] == [first, second]
    await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    for one in (path, now):
        answer = await get(desk, one)
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "GONE")
        assert answer.headers["cache-control"] == "no-store"
    await desk.call("POST", f"/api/v1/assets/{asset['id']}/restore", desk.owner)
    assert [(await get(desk, one)).content for one in (path, now)] == [first, second]
