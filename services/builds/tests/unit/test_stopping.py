"""Work in threads ends with its build."""

import asyncio
import threading
from contextvars import copy_context

import pytest

from builds import stopping
from builds.packagers import twins, zips
from builds.packages.cache import PackageCache
from builds.packages.types import Package
from builds.pipeline import context
from builds.pipeline.cache import Cache

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_outside_of_a_build_nothing_is_stopped():
    stopping.look()
    with stopping.until_the_end():
        stopping.look()
    stopping.look()


async def test_a_thread_of_a_cancelled_build_stops_at_the_next_file(shop):
    shop.cache.put(_EMPTY, b"")
    begun, cancelled, ended = threading.Event(), threading.Event(), threading.Event()
    placed = []

    def lay_out(rooms):
        try:
            for n in range(10):
                shop.cache.place(
                    _EMPTY,
                    rooms.tree / f"{n}/file",
                )
                placed.append(n)
                begun.set()
                cancelled.wait()
        finally:
            ended.set()

    async def build():
        async with context.rooms(shop, "x") as rooms:
            await asyncio.to_thread(lay_out, rooms)

    task = asyncio.create_task(build())
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    cancelled.set()
    await asyncio.to_thread(ended.wait)
    assert placed == [0]
    assert list(shop.rooms.iterdir()) == []


def _after_the_end(work):
    """Do something in a thread of a build that is over meanwhile."""
    found = []

    def act(context):
        try:
            context.run(work)
        except stopping.StoppedError:
            found.append("stopped")

    with stopping.until_the_end():
        of_the_build = copy_context()
    thread = threading.Thread(target=act, args=(of_the_build,))
    thread.start()
    thread.join()
    return found == ["stopped"]


def test_every_long_work_looks_whether_it_is_wanted_still(tmp_path):
    source = tmp_path / "a.txt"
    source.write_bytes(b"text" * 1000)
    cache = PackageCache(tmp_path / "npm")
    made = cache.making()
    (made / "content").mkdir()
    (made / "content/index.js").write_bytes(b"")
    package = Package("node_modules/a", "a", "1.0.0", "ab" * 64)
    cache.keep(package, made, 4096)

    def plant():
        with cache.tree([package]):
            pass

    works = [
        lambda: Cache(tmp_path).place("ab", tmp_path / "x"),
        lambda: zips.write({"a.txt": source}, tmp_path / "a.zip"),
        lambda: twins.write({"a.txt": source}, tmp_path / "twins"),
        plant,
    ]
    assert [_after_the_end(work) for work in works] == [True] * 4
    assert list((tmp_path / "npm/trees/making").iterdir()) == []
