"""Objects in parts, with a real store: what is there, what is whole, what is gone."""

import hashlib
import io
from collections.abc import AsyncGenerator
from contextlib import suppress

import httpx
import pytest

from common import multipart
from common.errors import NotFoundError, UnavailableError
from common.ids import uuid7
from common.multipart import Part
from common.settings import StorageSettings, load
from common.storage import Storage

BUCKET = "assets"
FIRST = b"a" * multipart.PART_BYTES_MIN
LAST = b"the end"


@pytest.fixture(scope="module")
async def storage(stores) -> AsyncGenerator[Storage]:
    """The object store, as the assets service sees it."""
    opened = Storage(load(StorageSettings, stores.env("assets")))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def made(storage):
    """An object of which nothing is there yet."""
    key = f"tests/{uuid7()}"
    return await multipart.begin(storage, BUCKET, key, content_type="text/plain")


def etag(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def listed(storage):
    return {found.id async for found, _ in multipart.unfinished(storage, BUCKET)}


async def test_parts_are_one_object_when_they_are_complete(storage, made):
    # numbers need not follow one another, and a part may be sent again: of different bytes that
    # come under one number within a second the store would not know the later
    await made.put(3, io.BytesIO(FIRST))
    await made.put(3, io.BytesIO(FIRST))
    await made.put(7, io.BytesIO(LAST))
    await made.put(9, io.BytesIO(b"never meant"))
    there = await made.parts()
    assert there[:2] == [Part(3, len(FIRST), etag(FIRST)), Part(7, len(LAST), etag(LAST))]
    with pytest.raises(NotFoundError):
        await storage.head(BUCKET, made.key)
    await made.complete(there[:2])
    found = await storage.head(BUCKET, made.key)
    assert (found.size, found.content_type) == (len(FIRST) + len(LAST), "text/plain")
    assert await storage.get(BUCKET, made.key) == FIRST + LAST
    with suppress(NotFoundError):
        await made.complete(there[:2])
    assert await storage.get(BUCKET, made.key) == FIRST + LAST
    assert made.id not in await listed(storage)


async def test_an_aborted_object_leaves_nothing(storage, made):
    await made.put(1, io.BytesIO(FIRST))
    assert made.id in await listed(storage)
    await made.abort()
    with pytest.raises(NotFoundError):
        await made.parts()
    assert made.id not in await listed(storage)


async def test_what_is_unfinished_is_found_however_much_there_is(storage):
    begun = [
        await multipart.begin(storage, BUCKET, f"tests/{uuid7()}", content_type="text/plain")
        for _ in range(5)
    ]
    found = [made async for made, _ in multipart.unfinished(storage, BUCKET, at_once=2)]
    assert len(found) == len({made.id for made in found})
    assert {made.id for made in begun} <= {made.id for made in found}
    for made in begun:
        await made.abort()
    assert not {made.id for made in begun} & await listed(storage)


async def test_the_store_copies_what_it_has_if_it_is_still_the_same(storage, made):
    await made.put(1, io.BytesIO(FIRST))
    await made.put(2, io.BytesIO(LAST))
    await made.complete(await made.parts())
    source = await storage.head(BUCKET, made.key)
    copied = f"{made.key}-copy"
    size, tag, kind = source.size, source.etag, "image/png"
    await multipart.copy(storage, BUCKET, made.key, copied, size=size, etag=tag, content_type=kind)
    assert (await storage.head(BUCKET, copied)).content_type == "image/png"
    assert await storage.get(BUCKET, copied) == FIRST + LAST


async def test_a_signed_part_takes_so_many_bytes(stores, made):
    signed = await made.signed_put(1, len(LAST), lifetime_s=60, marks={"x-grant": "me"})
    url = httpx.URL(signed.url)
    assert url.params["x-grant"] == "me"
    async with httpx.AsyncClient(base_url=stores.env("assets")["S3_ENDPOINT_URL"]) as client:
        for content, status in ((LAST, 200), (LAST + b"x", 403)):
            headers = {**signed.headers, "host": url.netloc.decode()}
            headers["content-length"] = str(len(content))
            target = url.raw_path.decode()
            answer = await client.put(target, content=content, headers=headers)
            assert answer.status_code == status, answer.text
    assert [part.size for part in await made.parts()] == [len(LAST)]


async def test_the_store_refuses_parts_that_it_does_not_have(storage, made):
    part = await made.put(1, io.BytesIO(FIRST))
    for wrong in (Part(1, part.size, etag(LAST)), Part(2, part.size, part.etag)):
        with pytest.raises(UnavailableError):
            await made.complete([wrong])
    await made.complete([part])
    assert (await storage.head(BUCKET, made.key)).size == part.size


async def test_a_copy_of_what_has_changed_meanwhile_is_refused_and_leaves_nothing(storage):
    source = f"tests/{uuid7()}"
    await storage.put(BUCKET, source, FIRST, content_type="text/plain")
    size, tag, kind = len(FIRST), f'"{etag(LAST)}"', "text/plain"
    copied = f"{source}-copy"
    with pytest.raises(UnavailableError):
        await multipart.copy(
            storage, BUCKET, source, copied, size=size, etag=tag, content_type=kind
        )
    with pytest.raises(NotFoundError):
        await storage.head(BUCKET, copied)
    keys = [made.key async for made, _ in multipart.unfinished(storage, BUCKET)]
    assert copied not in keys
    found = await storage.call("list_objects_v2", Bucket=BUCKET, Prefix=source)
    assert [one["Key"] for one in found["Contents"]] == [source]
