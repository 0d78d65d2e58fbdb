"""Text is sent compressed to who takes it so, from a copy that is made once and stored."""

import asyncio
import gzip

import brotli
import msgspec
import pytest
from services.assets.tests import media

from common.errors import NotFoundError

TEXT = b'{"tile": 1, "layer": "ground"}\n' * 200


async def shared(desk, content, name):
    """Upload a file to a public project; return the project and the path it is delivered at."""
    project = await desk.project(is_public=True)
    answer = await desk.upload(desk.editor, project, content, name)
    assert answer.status_code == 201, answer.text
    return project, f"/cdn/{desk.sha256(content)}/{name}"


async def raw(desk, path, accepts, method="GET", **headers):
    """Ask; return the answer and its bytes as they were sent."""
    given = desk.headers(None, accept_encoding=accepts, **headers)
    async with desk.client.stream(method, path, headers=given) as answer:
        return answer, b"".join([piece async for piece in answer.aiter_raw()])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("level.json", TEXT + b"of the level"),
        ("readme.md", b"# " + TEXT),
        ("icon.svg", b"<svg>" + b"<g/>" * 500 + b"</svg>"),
        ("car.gltf", msgspec.json.encode(media.gltf()) + b" " * 2_000),
        ("code.wasm", b"\0asm\1\0\0\0" + bytes(2_000)),
        ("type.ttf", media.font() + bytes(2_000)),
    ],
)
async def test_what_shrinks_is_sent_as_it_is_accepted(desk, name, content):
    project, path = await shared(desk, content, name)
    sha256 = desk.sha256(content)
    for accepts, coding, unpack in (
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
    ):
        answer, sent = await raw(desk, path, accepts)
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == coding
        assert answer.headers["etag"] == f'"{sha256}-{coding}"'
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-length"] == str(len(sent))
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert unpack(sent) == content
        assert len(sent) < len(content)
        stored = await desk.means().storage.get("assets", f"{project}/{sha256}.{coding}")
        assert stored == sent
        head, _ = await raw(desk, path, accepts, "HEAD")
        same = ("etag", "content-length", "content-encoding", "vary", "content-type")
        assert [head.headers[one] for one in same] == [answer.headers[one] for one in same]
        known, _ = await raw(desk, path, accepts, if_none_match=answer.headers["etag"])
        assert known.status_code == 304
        assert known.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepts", ["", "identity", "deflate", "br;q=0, gzip;q=0", "*;q=0"])
async def test_who_takes_nothing_gets_it_as_it_is(desk, accepts):
    content = TEXT + accepts.encode()
    _, path = await shared(desk, content, "level.json")
    answer, sent = await raw(desk, path, accepts)
    assert sent == content
    assert "content-encoding" not in answer.headers
    assert answer.headers["etag"] == f'"{desk.sha256(content)}"'
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_one_form_is_no_other(desk):
    content = TEXT + b"forms"
    _, path = await shared(desk, content, "level.json")
    plain, coded = f'"{desk.sha256(content)}"', f'"{desk.sha256(content)}-br"'
    assert (await raw(desk, path, "br", if_none_match=plain))[0].status_code == 200
    assert (await raw(desk, path, "", if_none_match=coded))[0].status_code == 200
    assert (await raw(desk, path, "br", if_match=plain))[0].status_code == 412


async def test_what_is_small_or_shrinks_not_is_sent_as_it_is(desk):
    picture = desk.png(filler=b"x" * 4_000)
    for name, content in (("a.json", b"{}"), ("ball.png", picture)):
        _, path = await shared(desk, content, name)
        answer, sent = await raw(desk, path, "gzip, br")
        assert sent == content
        assert "content-encoding" not in answer.headers
        assert ("vary" in answer.headers) is (name == "a.json")


async def test_a_part_is_one_of_the_bytes_as_they_are(desk):
    content = TEXT + b"parts"
    _, path = await shared(desk, content, "level.json")
    answer, sent = await raw(desk, path, "gzip, br", range="bytes=10-19")
    assert (answer.status_code, sent) == (206, content[10:20])
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-range"] == f"bytes 10-19/{len(content)}"
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_who_has_a_part_of_the_compressed_form_gets_the_rest_of_it(desk):
    content = TEXT + b"the rest"
    _, path = await shared(desk, content, "level.json")
    whole, sent = await raw(desk, path, "br")
    tag = whole.headers["etag"]
    answer, rest = await raw(desk, path, "br", range="bytes=10-", if_range=tag)
    assert (answer.status_code, sent[:10] + rest) == (206, sent)
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-range"] == f"bytes 10-{len(sent) - 1}/{len(sent)}"
    # who does not take it any more gets everything
    answer, all_of_it = await raw(desk, path, "gzip", range="bytes=10-", if_range=tag)
    assert (answer.status_code, all_of_it) == (200, content)


async def test_a_copy_is_made_once_for_all_who_ask(desk):
    content = TEXT * 50
    _, path = await shared(desk, content, "level.json")
    answers = await asyncio.gather(*[raw(desk, path, "br") for _ in range(20)])
    assert len({sent for _, sent in answers}) == 1


async def test_a_large_text_is_compressed_without_memory_for_it(serving, desk):
    content = b"".join(b"%d;" % number for number in range(700_000))
    _, path = await shared(desk, content, "big.csv")
    async with serving(DELIVERY_MEMORY_BYTES="0", SPOOL_BYTES_MAX="65536") as client:
        desk.client = client
        for coding, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress)):
            answer, sent = await raw(desk, path, coding)
            assert answer.headers["content-length"] == str(len(sent))
            assert unpack(sent) == content
            part, some = await raw(
                desk, path, coding, range="bytes=5-9", if_range=answer.headers["etag"]
            )
            assert (part.status_code, some) == (206, sent[5:10])


async def test_a_text_of_more_bytes_than_are_compressed_is_sent_as_it_is(serving, desk):
    _, path = await shared(desk, TEXT + b"too many", "level.json")
    async with serving(ENCODED_BYTES_MAX="2000") as client:
        desk.client = client
        answer, sent = await raw(desk, path, "br")
        assert sent == TEXT + b"too many"
        assert "content-encoding" not in answer.headers


async def test_a_private_text_is_compressed_for_its_readers(desk):
    project = await desk.project()
    content = TEXT + b"private"
    asset = (await desk.upload(desk.editor, project, content, "a.json")).json()["data"]
    led = await desk.call("GET", f"/api/v1/assets/{asset['id']}/download", desk.viewer)
    path = led.headers["location"].removeprefix("http://localhost:8080")
    answer, sent = await raw(desk, path, "br")
    assert brotli.decompress(sent) == content
    assert answer.headers["cache-control"].startswith("private")
    with pytest.raises(NotFoundError):
        await desk.means().storage.head("assets", f"{project}/{asset['sha256']}.gzip")
