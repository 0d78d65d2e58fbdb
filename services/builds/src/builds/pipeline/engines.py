"""Engines beside the game's own code, as the page's import map finds them."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from builds import steps
from builds.packages.types import Package
from builds.pipeline import dependencies, esbuild
from builds.pipeline.context import Order as BuildOrder
from builds.pipeline.context import Rooms, Told, Workshop
from builds.sandbox.types import Mount
from builds.vendor import chunks, engines
from builds.vendor.chunks import Order
from builds.vendor.engines import Import

_ROOM = "/v"


async def given(
    build: BuildOrder,
    asked: list[Import],
    packages: list[Package],
    shop: Workshop,
    rooms: Rooms,
    told: Told,
) -> dict[str, str]:
    """Put the engines that are asked for into the bundle; nothing where one cannot be shared."""
    wanted = engines.wanted(asked)
    anew = str(build.build_id) if build.fresh else ""
    imports: dict[str, str] = {}
    for engine, specifiers in (wanted or {}).items():
        order = Order(engine, specifiers, packages, shop.esbuild_digest, anew)
        is_new = not shop.vendor.has(order.key)
        found = await _of_one(order, shop, rooms, told)
        if not found.imports:
            return {}
        told.say(steps.BUNDLE, f"{engine} is {'bundled once for all' if is_new else 'here'}.")
        imports |= found.imports
    return imports


async def _of_one(order: Order, shop: Workshop, rooms: Rooms, told: Told) -> chunks.Chunks:
    async def bundler(arguments: list[str], modules: Path, into: Path) -> bool:
        mounts = [Mount(modules, f"{_ROOM}/node_modules")]
        succeeded, _ = await esbuild.run(arguments, mounts, into, shop, told, folder=_ROOM)
        return succeeded

    with ExitStack() as held:
        # the engine's own packages alone: whatever else a project has must not get into it
        try:
            tree = shop.packages.tree(order.closure)
            modules = await asyncio.to_thread(held.enter_context, tree)
        except FileNotFoundError:
            # the project's own links keep a package's bytes, but not its place
            modules = await dependencies.planted(order.closure, shop, told, held)
        return await chunks.made(order, shop.vendor, modules, bundler, rooms.bundle)
