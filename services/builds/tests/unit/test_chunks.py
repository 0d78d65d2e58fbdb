"""Engines that are kept, that are gone when they are wanted, and that nobody wants again."""

import msgspec
import pytest
from services.builds.tests.followers import Nobody

from builds.packages.types import Package
from builds.pipeline import context, engines
from builds.pipeline.context import Order as BuildOrder
from builds.types import BuildError, Manifest, Options
from builds.vendor import chunks
from builds.vendor.chunks import Order
from builds.vendor.engines import Import
from common.ids import uuid7

_PACKAGES = [Package("node_modules/three", "three", "1.0.0", "ab" * 64)]


class _Bundler:
    """Makes the one module that an engine has."""

    runs = 0

    async def __call__(self, _arguments, _modules, into):
        self.runs += 1
        (into / "three-AAAAAAAA.js").write_text("export const A = 1;")
        output = {"entryPoint": "three", "exports": ["A"], "imports": []}
        meta = {"outputs": {"/o/out/three-AAAAAAAA.js": output}}
        (into / chunks.META).write_bytes(msgspec.json.encode(meta))
        return True


@pytest.fixture
def site(tmp_path):
    """Where a game is put together."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def _order(anew=""):
    return Order("three", ["three"], _PACKAGES, "digest", anew)


def _kept(shop, order):
    return shop.vendor.has(order.key)


async def test_an_engine_is_made_once(shop, site, tmp_path):
    bundler = _Bundler()
    for _ in range(2):
        made = await chunks.made(_order(), shop.vendor, tmp_path, bundler, site)
        assert made.imports == {"three": "vendor/three-AAAAAAAA.js"}
    assert bundler.runs == 1


async def test_an_engine_that_goes_before_it_is_held_is_made_anew(shop, site, tmp_path):
    (tmp_path / "vendor" / _order().key).mkdir(parents=True)
    made = await chunks.made(_order(), shop.vendor, tmp_path, _Bundler(), site)
    assert made.imports
    assert (site / "vendor/three-AAAAAAAA.js").exists()


async def test_what_was_made_for_one_build_alone_is_not_kept(shop, site, tmp_path):
    await chunks.made(_order(), shop.vendor, tmp_path, _Bundler(), site)
    await chunks.made(_order("build"), shop.vendor, tmp_path, _Bundler(), site)
    assert (site / "vendor/three-AAAAAAAA.js").exists()
    assert (_kept(shop, _order()), _kept(shop, _order("build"))) == (True, False)


async def test_an_engines_packages_that_are_gone_are_fetched_again(shop):
    asked = [Import("three", "import-statement", external=True)]
    order = BuildOrder(uuid7(), uuid7(), uuid7(), "web", Options(), Manifest(1, [], []))
    async with context.rooms(shop, "x") as rooms:
        # from a registry, which this worker has not
        with pytest.raises(BuildError) as raised:
            await engines.given(order, asked, _PACKAGES, shop, rooms, Nobody())
    assert raised.value.code == "DEPENDENCY_UNAVAILABLE"
