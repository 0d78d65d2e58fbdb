"""Which trees are laid out, and how their rooms are cleared."""

import asyncio
import sys
import threading
from typing import override

import msgspec
import pytest
from services.builds.tests.followers import Nobody

from builds.pipeline import context, fetch
from builds.pipeline.context import Order
from builds.pipeline.fetch import Origin
from builds.types import Asset, BuildError, File, Manifest, Options
from common.ids import uuid7


class _Origin(Origin):
    """Has every file that is asked for, and no asset but the empty one."""

    asked = 0

    @override
    async def blobs(self, project_id, hashes):
        self.asked += 1
        return dict.fromkeys(hashes, b"")

    @override
    async def address(self, project_id, sha256):
        return ""

    @override
    async def download(self, asset, cache):
        cache.put(asset.sha256, b"")


# of nothing
_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


async def _laid_out(shop, paths, assets=()):
    files = [File(path, _HASH, 0) for path in paths]
    manifest = Manifest(1, files, [Asset(name, _HASH, 0, "") for name in assets])
    order = Order(uuid7(), uuid7(), uuid7(), "web", Options(), manifest)
    origin = _Origin()
    async with context.rooms(shop, "x") as rooms:
        try:
            await fetch.sources(order, shop, origin, rooms, Nobody())
        except BuildError as error:
            assert not origin.asked
            return error
        found = (p for p in rooms.tree.rglob("*") if p.is_file())
        return sorted(str(p.relative_to(rooms.tree)) for p in found)


@pytest.fixture
def narrow(shop):
    """A worker with limits that are soon hit."""
    settings = msgspec.structs.replace(shop.settings, path_depth_max=4, folders_max=5)
    return msgspec.structs.replace(shop, settings=settings)


async def test_a_tree_within_the_limits_is_laid_out(narrow):
    paths = ["a/b/c/x", "a/b/c/y", "a/b/z", "d/e/x", "top"]
    assert await _laid_out(narrow, paths) == paths


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [(["a/b/c/d/x"], "at most 4 parts"), ([f"{n}/x" for n in range(6)], "at most 5 folders")],
)
async def test_a_tree_of_too_many_folders_is_refused_before_anything_is_fetched(
    narrow, paths, wanted
):
    error = await _laid_out(narrow, paths)
    assert (error.code, error.diagnostics[0].code) == ("RESOURCE_LIMIT", "FILE_LIMIT")
    assert wanted in str(error)


@pytest.mark.parametrize(
    ("paths", "assets"),
    [(["a/b/x", "a"], ()), (["a", "a/b/x"], ()), (["a", "a//x"], ()), (["assets"], ("x",))],
)
async def test_nothing_is_a_file_and_a_folder(shop, paths, assets):
    error = await _laid_out(shop, paths, assets)
    assert error.code == "SOURCE_CORRUPT"


_removals: list[threading.Thread] = []


def _hear(event, _arguments):
    if event == "shutil.rmtree":
        _removals.append(threading.current_thread())


sys.addaudithook(_hear)


async def test_rooms_are_cleared_beside_the_loop_after_a_cancellation_too(shop):
    entered = asyncio.Event()

    async def work():
        async with context.rooms(shop, "x") as rooms:
            (rooms.tree / "file").write_bytes(b"")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    _removals.clear()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(shop.rooms.iterdir()) == []
    assert _removals
    assert threading.main_thread() not in _removals
