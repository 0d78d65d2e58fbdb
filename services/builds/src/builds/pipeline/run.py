"""A build from its order to its result, step by step."""

import asyncio

from msgspec import Struct

from builds.pipeline import bundle, check, fetch, package, publish, verdicts
from builds.pipeline import plan as plans
from builds.pipeline.bundle import Bundle
from builds.pipeline.context import Order, Rooms, Told, Workshop, rooms, step
from builds.pipeline.fetch import Origin
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
    with rooms(shop, str(order.build_id)) as place:
        try:
            async with asyncio.timeout(shop.settings.build_s_max):
                result = await _made(order, shop, origin, told, place)
        except TimeoutError as exc:
            seconds = round(shop.settings.build_s_max)
            message = f"The build did not end within {seconds} s."
            raise BuildError("BUILD_TIMEOUT", message, status="timed_out") from exc
        # how long the store takes is no matter of the project's
        with step(told, publish.STEP):
            file = place.root / package.ARCHIVE
            paths = list(result.site)
            await publish.result(order.result_id, place.site, paths, file, shop, shelf, told)
    return result


async def _made(order: Order, shop: Workshop, origin: Origin, told: Told, place: Rooms) -> Result:
    with step(told, fetch.STEP):
        await fetch.sources(order, shop, origin, place, told)
        plan = await asyncio.to_thread(plans.of, place.tree, shop.settings.read_bytes_max)
    made = await _compiled(order, plan, shop, place, told)
    with step(told, package.STEP):
        site, archive = await asyncio.to_thread(_packed, order, plan, made, shop, place)
        told.say(package.STEP, f"{len(site)} files, {archive.size} bytes as {archive.name}.")
    return Result(made.diagnostics, [archive], site)


async def _compiled(order: Order, plan: Plan, shop: Workshop, place: Rooms, told: Told) -> Bundle:
    """Check and bundle at the same time; what either finds is told, whichever fails."""
    checked, bundled = await asyncio.gather(
        check.types(plan, shop, place, told),
        bundle.modules(order, plan, shop, place, told),
        return_exceptions=True,
    )
    if isinstance(checked, BaseException):
        raise checked
    if isinstance(bundled, BaseException):
        raise bundled
    found = [*checked, *bundled.diagnostics][: shop.settings.diagnostics_max]
    _refuse(verdicts.errors_of(checked), verdicts.errors_of(bundled.diagnostics), found)
    return Bundle(bundled.files, bundled.scripts, bundled.styles, bundled.inputs, found)


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
    order: Order, plan: Plan, made: Bundle, shop: Workshop, place: Rooms
) -> tuple[dict[str, Page], Artifact]:
    package.site(plan, made, order.manifest, place, shop.cache)
    site = package.pages(place.site)
    return site, package.archive(place.site, list(site), place.root / package.ARCHIVE)
