"""Assets through the gateway: sent in every way, changed, used, made smaller, delivered."""

import hashlib
import io
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from PIL import Image
from services.assets.tests import media

from tests.e2e.answers import failed, ok, put

_ASSETS = "/api/v1/assets"
_PART = 16 * 1024 * 1024
_YEAR = "public, max-age=31536000, immutable"
_SPOKEN = {"tus-resumable": "1.0.0"}
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def _upload(
    client: httpx.AsyncClient, project: str, content: bytes, name: str
) -> dict[str, Any]:
    """Send a file as a form."""
    answer = await client.post(
        f"{_ASSETS}/upload", data={"projectId": project}, files={"file": (name, content)}
    )
    asset: dict[str, Any] = ok(answer, 201)
    return asset


async def _at(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Go where an answer leads."""
    assert answer.status_code == 302, answer.text
    return await client.get(answer.headers["location"])


async def test_an_asset_has_other_bytes_and_those_that_it_had(person, gateway):
    ann = (await person()).client
    project = await _project(ann)
    first, second = media.drawn(size=(64, 32)), media.drawn(size=(32, 64))
    asset = await _upload(ann, project, first, "ball.png")
    path = f"{_ASSETS}/{asset['id']}"
    assert (asset["metadata"]["width"], asset["metadata"]["height"]) == (64, 32)
    sent = await ann.post(f"{path}/versions", files={"file": ("ball.png", second)})
    assert ok(sent, 201)["version"] == 2
    assert ok(await ann.get(path))["sha256"] == _sha256(second)
    assert ok(await ann.get(path, params={"v": 1}))["sha256"] == _sha256(first)
    assert (await _at(gateway, await ann.get(f"{path}/download?v=1"))).content == first
    stale = await ann.post(
        f"{path}/rollback", json={"version": 1}, headers={"if-match": '"1-of-old"'}
    )
    assert failed(stale) == (412, "PRECONDITION_FAILED")
    assert ok(await ann.post(f"{path}/rollback", json={"version": 1}))["version"] == 3
    listed = ok(await ann.get(f"{path}/versions"))
    assert [(v["version"], v["origin"]) for v in listed] == [
        (3, "rollback"),
        (2, "upload"),
        (1, "upload"),
    ]
    asked = {"projectId": project, "sha256": [_sha256(first), _sha256(second), "0" * 64]}
    assert ok(await ann.post(f"{_ASSETS}/negotiate", json=asked)) == {"missing": ["0" * 64]}
    stranger = (await person()).client
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(f"{_ASSETS}/negotiate", json=asked)).status_code == 404


async def _project(client: httpx.AsyncClient, *, is_public: bool = False) -> str:
    body = {"name": "Game", "isPublic": is_public}
    made: str = ok(await client.post("/api/v1/projects", json=body), 201)["id"]
    return made


async def test_what_a_file_names_goes_by_force_alone_and_comes_back(person, gateway):
    ann = (await person()).client
    project = await _project(ann, is_public=True)
    asset = await _upload(ann, project, media.drawn(size=(20, 20)), "ball.png")
    path, cdn = f"{_ASSETS}/{asset['id']}", urlsplit(asset["url"]).path
    await put(ann, project, "src/main.ts", 'const a = 1\nload("assets/ball.png")\n')
    refused = await ann.delete(path)
    assert failed(refused) == (409, "ASSET_IN_USE")
    assert refused.json()["error"]["details"] == [
        {"references": [{"path": "src/main.ts", "line": 2}]}
    ]
    assert (await gateway.get(cdn)).status_code == 200
    assert (await ann.delete(path, params={"force": "true"})).status_code == 204
    assert (await ann.get(path)).status_code == 404
    assert failed(await gateway.get(cdn)) == (410, "GONE")
    assert ok(await ann.post(f"{path}/restore"))["sha256"] == asset["sha256"]
    assert (await gateway.get(cdn)).status_code == 200


async def test_a_large_file_goes_on_with_the_parts_that_are_missing(person, gateway):
    ann = (await person()).client
    project = await _project(ann)
    content = b"\x07" * _PART + b"the rest"
    new = {
        "projectId": project,
        "name": "level.bin",
        "size": len(content),
        "contentType": "application/octet-stream",
        "sha256": _sha256(content),
        "parts": True,
    }
    upload = ok(await ann.post(f"{_ASSETS}/uploads", json=new), 201)
    path = f"{_ASSETS}/uploads/{upload['id']}"
    assert [part["size"] for part in upload["parts"]] == [_PART, 8]

    async def send(part: dict[str, Any]) -> str:
        first = (part["number"] - 1) * upload["partSize"]
        piece = content[first : first + part["size"]]
        answer = await gateway.put(part["url"], content=piece, headers=part["headers"])
        assert answer.status_code == 200, answer.text
        tag: str = answer.headers["etag"]
        return tag

    etags = [await send(upload["parts"][1])]
    assert failed(await ann.post(f"{path}/complete")) == (409, "CONFLICT")
    resumed = ok(await ann.get(path))
    assert [part["number"] for part in resumed["uploaded"]] == [2]
    (missing,) = resumed["parts"]
    etags.insert(0, await send(missing))
    named = {"parts": [{"number": n, "etag": etag} for n, etag in enumerate(etags, 1)]}
    asset = ok(await ann.post(f"{path}/complete", json=named), 201)
    assert (asset["sha256"], asset["size"]) == (_sha256(content), len(content))
    assert (await _at(gateway, await ann.get(f"{_ASSETS}/{asset['id']}/download"))).content == (
        content
    )


async def test_an_upload_goes_on_where_its_connection_broke(person, gateway, until):
    ann = (await person()).client
    project = await _project(ann)
    content = media.noise(3_000_000)
    told = {"projectId": project, "filename": "rain.wav", "filetype": "audio/wav"}
    said = ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in told.items())
    begun = await ann.post(
        f"{_ASSETS}/tus",
        headers=_SPOKEN | {"upload-length": str(len(content)), "upload-metadata": said},
    )
    assert begun.status_code == 201, begun.text
    path = urlsplit(begun.headers["location"]).path
    going = _SPOKEN | {"content-type": "application/offset+octet-stream"}

    async def breaking() -> AsyncIterator[bytes]:
        yield content[:1_000_000]
        raise ConnectionError

    whole = {"upload-offset": "0", "content-length": str(len(content))}
    with pytest.raises(ConnectionError):
        await ann.patch(path, content=breaking(), headers=going | whole)

    async def offset() -> int:
        answer = await ann.head(path, headers=_SPOKEN)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])

    async def last() -> httpx.Response | None:
        at = await offset()
        rest = going | {"upload-offset": str(at)}
        answer = await ann.patch(path, content=content[at:], headers=rest)
        # who broke off may still be at it
        return None if answer.status_code in {409, 423} else answer

    assert 0 < await until(offset) < len(content)
    done = await until(last)
    assert done.status_code == 204, done.text
    asset = ok(await ann.get(f"{_ASSETS}/{done.headers['asset-id']}"))
    assert (asset["sha256"], asset["mimeType"]) == (_sha256(content), "audio/wav")
    assert (await _at(gateway, await ann.get(f"{_ASSETS}/{asset['id']}/download"))).content == (
        content
    )


async def test_a_picture_is_had_smaller_at_once_and_with_fewer_bytes_later(person, gateway, until):
    ann = (await person()).client
    project = await _project(ann)
    asset = await _upload(ann, project, media.drawn(size=(640, 320)), "sky.png")
    path = f"{_ASSETS}/{asset['id']}"
    small = await _at(gateway, await ann.get(f"{path}/variants?w=64&format=webp"))
    image = Image.open(io.BytesIO(small.content))
    assert (small.headers["content-type"], image.size) == ("image/webp", (64, 32))
    begun = await ann.put(f"{path}/optimize", json={"preset": "web"})
    assert ok(begun, 202)["status"] == "queued"

    async def over() -> dict[str, Any] | None:
        job: dict[str, Any] = ok(await ann.get(begun.headers["location"]))
        return None if job["status"] in {"queued", "running"} else job

    job = await until(over)
    assert (job["status"], job["progress"]) == ("complete", 1)
    kinds = {one["mimeType"] for one in job["result"]["variants"]}
    assert kinds == {"image/webp", "image/avif"}
    made = {one["sha256"] for one in ok(await ann.get(f"{path}/variants"))}
    assert made >= {one["sha256"] for one in job["result"]["variants"]}

    async def thumbnail() -> str | None:
        url: str | None = ok(await ann.get(path))["thumbnailUrl"]
        return url

    shown = await _at(gateway, await ann.get(await until(thumbnail)))
    assert shown.status_code == 200
    assert ok(await ann.get(path))["sha256"] == asset["sha256"]


async def test_public_bytes_are_kept_for_ever_and_come_in_ranges(person, gateway):
    ann = (await person()).client
    project = await _project(ann, is_public=True)
    content = media.drawn(size=(100, 70))
    cdn = urlsplit((await _upload(ann, project, content, "ball.png"))["url"]).path
    assert cdn == f"/cdn/{_sha256(content)}/ball.png"
    answer = await gateway.get(cdn)
    told = answer.headers
    assert (answer.content, told["content-type"]) == (content, "image/png")
    assert (told["cache-control"], told["etag"]) == (_YEAR, f'"{_sha256(content)}"')
    assert told["access-control-allow-origin"] == "*"
    assert told["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in told
    part = await gateway.get(cdn, headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    assert part.headers["content-range"] == f"bytes 1-3/{len(content)}"
    beyond = await gateway.get(cdn, headers={"range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    known = await gateway.get(cdn, headers={"if-none-match": told["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    head = await gateway.head(cdn)
    assert head.headers["content-length"] == str(len(content))
    text = msgspec.json.encode([{"tile": n % 3} for n in range(500)])
    level = urlsplit((await _upload(ann, project, text, "level.json"))["url"]).path
    shrunk = await gateway.get(level, headers={"accept-encoding": "br"})
    assert (shrunk.headers["content-encoding"], shrunk.content) == ("br", text)


async def test_a_file_that_would_attack_is_sealed_or_refused(person, gateway):
    ann = (await person()).client
    project = await _project(ann, is_public=True)
    svg = await _upload(ann, project, _SVG, "evil.svg")
    answer = await gateway.get(urlsplit(svg["url"]).path, headers={"accept": "text/html"})
    assert (answer.content, answer.headers["content-type"]) == (_SVG, "image/svg+xml")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    for content, name in ((_SVG, "evil.png"), (b"<html><script>1</script>", "page.png")):
        refused = await ann.post(
            f"{_ASSETS}/upload", data={"projectId": project}, files={"file": (name, content)}
        )
        assert failed(refused) == (415, "UNSUPPORTED_MEDIA_TYPE")
