"""Delivery: the bytes of public projects, safe to open and kept for ever."""

import pytest


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
    beyond = await get(desk, path, range="bytes=99999-")
    assert beyond.status_code == 416
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
        ("icon.svg", b"<svg><script>1</script></svg>", "image/svg+xml", False),
        ("a.xml", b"<?xml version='1.0'?><x/>", "application/xml", True),
        ("doc.pdf", b"%PDF-1.7", "application/pdf", True),
        ("run.js", b"alert(1)", "text/javascript; charset=utf-8", False),
        ("readme.md", b"<p align=center>", "text/markdown; charset=utf-8", False),
        ("tool", b"\x7fELF\2\1\1\0", "application/octet-stream", False),
    ],
)
async def test_what_could_run_is_sealed(desk, name, content, content_type, is_saved):
    _, _, path = await shared(desk, content, name)
    answer = await get(desk, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (answer.headers.get("content-disposition") == "attachment") is is_saved


async def test_without_the_object_store_delivery_is_unavailable(serving, desk):
    _, _, path = await shared(desk, desk.png(filler=b"down"))
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        answer = await get(desk, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
