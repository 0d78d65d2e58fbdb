"""A build from its order to its result, step by step."""

import asyncio
from contextlib import ExitStack

import msgspec
from msgspec import Struct

from builds.packagers import about as abouts
from builds.packagers.types import About
from builds.packages.types import Package
from builds.pipeline import (
    bundle,
    check,
    dependencies,
    fetch,
    optimise,
    package,
    page,
    publish,
    served,
    verdicts,
)
from builds.pipeline import plan as plans
from builds.pipeline.bundle import Bundle
from builds.pipeline.context import Order, Rooms, Told, Workshop, rooms, step
from builds.pipeline.fetch import Origin
from builds.pipeline.package import Packed
from builds.pipeline.plan import Plan
from builds.pipeline.publish import Shelf
from builds.types import Artifact, BuildError, Diagnostic, Page


class Result(Struct, frozen=True):
    """What came of a build."""

    diagnostics: list[Diagnostic]
    artifacts: list[Artifact]
    site: dict[str, Page]


async def build(order: Order, shop: Workshop, origin: Origin, shelf: Shelf, told: Told) -> Result:
    """Build; raises ``BuildError`` where the project is at fault, or what we depend on is."""
    async with rooms(shop, str(order.build_id)) as place:
        # packages are let go before the rooms that they are seen from
        with ExitStack() as held:
            try:
                async with asyncio.timeout(shop.settings.build_s_max):
                    diagnostics, packed, site = await _made(order, shop, origin, told, place, held)
            except TimeoutError as exc:
                seconds = round(shop.settings.build_s_max)
                message = f"The build did not end within {seconds} s."
                raise BuildError("BUILD_TIMEOUT", message, status="timed_out") from exc
            # how long the store takes is no matter of the project's
            with step(told, publish.STEP):
                await publish.result(order.result_id, packed, shop, shelf, told)
    return Result(diagnostics, [packed.artifact], site)


async def _made(
    order: Order, shop: Workshop, origin: Origin, told: Told, place: Rooms, held: ExitStack
) -> tuple[list[Diagnostic], Packed, dict[str, Page]]:
    with step(told, fetch.STEP):
        await fetch.sources(order, shop, origin, place, told)
        plan = await asyncio.to_thread(plans.of, place.tree, shop.settings.read_bytes_max)
        about = await asyncio.to_thread(abouts.read, place.tree)
    place, packages = await dependencies.installed(plan.files, shop, place, told, held)
    made = await _compiled(order, plan, shop, place, told, packages)
    plan = msgspec.structs.replace(plan, page=page.mapped(plan.page, made.imports))
    order = await optimise.assets(order, shop, origin, told)
    with step(told, package.STEP):
        packed = await asyncio.to_thread(_packed, order, plan, made, about, shop, place)
        done = packed.artifact
        told.say(package.STEP, f"{len(packed.pages)} files, {done.size} bytes as {done.name}.")
    site = served.marked(packed.pages, packed.site, is_isolated=about.is_isolated)
    return made.diagnostics, packed, site


async def _compiled(
    order: Order,
    plan: Plan,
    shop: Workshop,
    place: Rooms,
    told: Told,
    packages: list[Package],
) -> Bundle:
    """Check and bundle at the same time; what either finds is told, whichever fails."""
    checked, bundled = await asyncio.gather(
        check.types(order, plan, shop, place, told),
        bundle.modules(order, plan, shop, place, told, packages),
        return_exceptions=True,
    )
    if isinstance(checked, BaseException):
        raise checked
    if isinstance(bundled, BaseException):
        raise bundled
    found = [*checked, *bundled.diagnostics][: shop.settings.diagnostics_max]
    _refuse(verdicts.errors_of(checked), verdicts.errors_of(bundled.diagnostics), found)
    return msgspec.structs.replace(bundled, diagnostics=found)


def _refuse(types: list[Diagnostic], modules: list[Diagnostic], found: list[Diagnostic]) -> None:
    if types:
        first = types[0]
        where = f" in {first.file}" if first.file else ""
        message = f"{len(types)} type errors, the first{where}: {first.message}"
        raise BuildError("TYPE_ERROR", message, diagnostics=found)
    if modules:
        message = f"{len(modules)} errors, the first: {modules[0].message}"
        raise BuildError("BUNDLE_ERROR", message, diagnostics=found)


def _packed(
    order: Order, plan: Plan, made: Bundle, about: About, shop: Workshop, place: Rooms
) -> Packed:
    package.site(plan, made, order.manifest, place, shop.cache)
    return package.packed(order.target, about, frozenset(made.files), place)
