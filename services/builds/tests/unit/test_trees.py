"""What trees of packages come to, and when they go."""

import os
import time

import pytest

from builds.packages.cache import PackageCache, key
from builds.packages.types import Package

_FILES = 20


@pytest.fixture
def cache(tmp_path):
    """Has one package, which is asked for at many places."""
    cache = PackageCache(tmp_path / "npm")
    made = cache.making()
    (made / "content").mkdir()
    for n in range(_FILES):
        (made / f"content/{n}.js").write_bytes(b"")
    cache.keep(_at("x"), made, _FILES * 4096)
    return cache


def _at(name):
    return Package(f"node_modules/{name}", "x", "1.0.0", "ab" * 64)


def _tree(cache, tmp_path, *names):
    packages = [_at(name) for name in names]
    with cache.tree(packages):
        pass
    return tmp_path / "npm/trees" / key(packages)


def test_a_package_counts_at_each_of_its_places(cache):
    assert cache.size([_at("a"), _at("b"), _at("c")]) == 3 * _FILES * 4096


def test_trees_have_a_size_and_go_while_there_is_room_for_the_packages(cache, tmp_path):
    first = _tree(cache, tmp_path, "a", "b", "c")
    os.utime(first, (time.time() - 100, time.time() - 100))
    second = _tree(cache, tmp_path, "d")
    # an eighth of it is for trees: enough for the small one
    cache.trim(_FILES * 4096 + 4096)
    assert not first.exists()
    assert second.exists()
    assert cache.has(_at("a"))


def test_a_tree_that_nobody_wanted_for_long_goes(cache, tmp_path):
    first, second = _tree(cache, tmp_path, "a"), _tree(cache, tmp_path, "b")
    os.utime(first, (time.time() - 90_000, time.time() - 90_000))
    cache.trim(1 << 30)
    assert (first.exists(), second.exists()) == (False, True)


def test_a_tree_that_is_wanted_again_stays(cache, tmp_path):
    first = _tree(cache, tmp_path, "a")
    os.utime(first, (time.time() - 90_000, time.time() - 90_000))
    _tree(cache, tmp_path, "a")
    cache.trim(1 << 30)
    assert first.exists()


def test_a_tree_that_goes_while_it_is_looked_for_is_made_anew(cache, tmp_path):
    gone = tmp_path / "npm/trees" / key([_at("a")])
    gone.mkdir(parents=True)
    with cache.tree([_at("a")]) as tree:
        assert len(list((tree / "a").iterdir())) == _FILES
