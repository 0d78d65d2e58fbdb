"""The bundle: esbuild's work, and a look at what went into it."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from builds import steps
from builds.packages.types import Package
from builds.pipeline import diagnostics, engines, esbuild, page, scripts, tsconfig
from builds.pipeline.context import Order, Rooms, Told, Workshop, step
from builds.pipeline.plan import Plan
from builds.pipeline.scripts import Scripts
from builds.types import BuildError, Diagnostic
from builds.vendor.engines import Import, locked

STEP = steps.BUNDLE

_FILES = "png jpg jpeg gif webp avif svg ogg mp3 wav m4a webm mp4 ttf otf woff woff2 glb wasm"
_TEXTS = "txt glsl vert frag wgsl"


def endings_of_files() -> list[str]:
    """What is imported as the address of a file."""
    return _FILES.split()


def endings_of_texts() -> list[str]:
    """What is imported as a text."""
    return _TEXTS.split()


class Output(Struct, frozen=True, rename="camel"):
    """A file that esbuild made."""

    entry_point: str | None = None
    css_bundle: str | None = None
    imports: list[Import] = []


class Metafile(Struct, frozen=True):
    """What esbuild says of its work."""

    inputs: dict[str, msgspec.Raw]
    outputs: dict[str, Output]


class Bundle(Struct, frozen=True):
    """What came of the modules. Paths are those of the site.

    ``imports`` are what the page's import map has to give; ``asked`` is what esbuild left open.
    """

    files: list[str]
    scripts: dict[str, str]
    styles: list[str]
    inputs: set[str]
    diagnostics: list[Diagnostic]
    imports: dict[str, str] = {}
    asked: list[Import] = []
    is_whole: bool = True


async def modules(
    order: Order,
    plan: Plan,
    shop: Workshop,
    rooms: Rooms,
    told: Told,
    packages: Sequence[Package] = (),
) -> Bundle:
    """Bundle what the page starts; raises ``BuildError`` only for what no diagnostic tells."""
    with step(told, STEP) as progress:
        rooms, threads = await asyncio.to_thread(_with_scripts, plan, shop, rooms)
        made = await _page(order, plan, shop, rooms, told, list(packages))
        if made.is_whole and threads.entries:
            made = await _workers(order, plan, shop, rooms, told, threads, made)
        if not made.is_whole:
            progress.status = "failed"
        told_of = [*threads.diagnostics, *made.diagnostics]
        return msgspec.structs.replace(made, diagnostics=told_of)


def _with_scripts(plan: Plan, shop: Workshop, rooms: Rooms) -> tuple[Rooms, Scripts]:
    """The scripts of other threads, and a tree for the bundler: the checker sees the project's."""
    settings = shop.settings
    threads = scripts.found(
        plan, rooms.tree, rooms.root / "changed", settings.read_bytes_max, settings.diagnostics_max
    )
    if not threads.changed:
        return rooms, threads
    tree = scripts.laid_out(threads.changed, rooms.tree, rooms.root / "bundled")
    return msgspec.structs.replace(rooms, tree=tree), threads


async def _page(
    order: Order,
    plan: Plan,
    shop: Workshop,
    rooms: Rooms,
    told: Told,
    packages: list[Package],
) -> Bundle:
    """What the page starts; engines are left to its import map where that can give them."""
    shared = [] if page.has_map(plan.page) else locked(packages)
    arguments = [
        *(esbuild.entry_point(path) for path in plan.entries),
        *_shared(order, plan),
        "--splitting",
        "--entry-names=[name]-[hash]",
    ]
    left_out = [f"--external:{engine}" for engine in shared]
    made = await _run([*arguments, *left_out], shop, rooms, told)
    if not made.is_whole or not made.asked:
        return made
    imports = await engines.given(order, made.asked, packages, shop, rooms, told)
    if imports:
        vendored = sorted(set(_files(rooms.bundle)) - set(made.files))
        return msgspec.structs.replace(made, imports=imports, files=[*made.files, *vendored])
    await asyncio.to_thread(_emptied, rooms.bundle)
    return await _run(arguments, shop, rooms, told)


async def _workers(
    order: Order,
    plan: Plan,
    shop: Workshop,
    rooms: Rooms,
    told: Told,
    threads: Scripts,
    made: Bundle,
) -> Bundle:
    """Other threads have no import map and share no chunk: each of their scripts is complete."""
    arguments = [
        *(esbuild.entry_point(path, name) for name, path in threads.entries.items()),
        *_shared(order, plan),
        "--entry-names=[name]",
    ]
    own = await _run(arguments, shop, rooms, told)
    known = [d for d in own.diagnostics if d not in made.diagnostics]
    return msgspec.structs.replace(
        made,
        files=sorted({*made.files, *own.files}),
        inputs=made.inputs | own.inputs,
        diagnostics=[*made.diagnostics, *known],
        is_whole=own.is_whole,
    )


def _shared(order: Order, plan: Plan) -> list[str]:
    config = msgspec.json.encode(tsconfig.for_the_bundler(plan.config)).decode()
    target = tsconfig.language(plan.config)
    return [
        "--bundle",
        "--format=esm",
        "--platform=browser",
        f"--target={target if target in _TARGETS else 'es2022'}",
        f"--outdir={esbuild.OUT}",
        "--chunk-names=chunk-[hash]",
        "--asset-names=assets/[name]-[hash]",
        f"--metafile={esbuild.OUT}/{esbuild.META}",
        f"--tsconfig-raw={config}",
        "--color=true",
        "--log-limit=0",
        "--log-level=warning",
        *(f"--loader:.{ending}=file" for ending in endings_of_files()),
        *(f"--loader:.{ending}=text" for ending in endings_of_texts()),
        *(["--minify"] if order.options.minify else []),
        *(["--sourcemap"] if order.options.sourcemap else []),
    ]


_TARGETS = {f"es{year}" for year in range(2017, 2026)} | {"esnext"}


async def _run(arguments: list[str], shop: Workshop, rooms: Rooms, told: Told) -> Bundle:
    succeeded, said = await esbuild.run(arguments, rooms.project, rooms.bundle, shop, told)
    most = shop.settings.read_bytes_max
    few = said[: shop.settings.diagnostics_max]
    found = await asyncio.to_thread(diagnostics.in_characters, few, rooms.tree, most)
    if not succeeded:
        return Bundle([], {}, [], set(), found, is_whole=False)
    return await asyncio.to_thread(_bundle, rooms.bundle, found)


def _bundle(folder: Path, found: list[Diagnostic]) -> Bundle:
    meta_path = folder / esbuild.META
    try:
        meta = msgspec.json.decode(meta_path.read_bytes(), type=Metafile)
    except (OSError, msgspec.MsgspecError) as exc:
        raise BuildError("BUNDLE_ERROR", "The bundler left no account of its work.") from exc
    meta_path.unlink()
    inputs = refuse_outsiders(meta)
    started = {o.entry_point: _inside(path) for path, o in meta.outputs.items() if o.entry_point}
    styles = [_inside(o.css_bundle) for o in meta.outputs.values() if o.css_bundle]
    asked = [i for o in meta.outputs.values() for i in o.imports if i.external]
    return Bundle(_files(folder), started, styles, inputs, found, asked=asked)


def _files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def refuse_outsiders(meta: Metafile) -> set[str]:
    """Return what went into the bundle; raises ``BuildError`` where not all is the project's.

    The sandbox has nothing worth reading; this holds should it ever have.
    """
    names = {name.removeprefix("(disabled):") for name in meta.inputs}
    files = {name for name in names if not name.startswith("<")}
    outside = sorted(f for f in files if f.startswith("/") or ".." in PurePosixPath(f).parts)
    if outside:
        raise BuildError("OUTSIDE_PROJECT", f"The code takes in {outside[0]}: no file of its own.")
    return files


def _inside(path: str) -> str:
    """The path below the folder of outputs; esbuild names them from the project's."""
    return str(PurePosixPath("/p").joinpath(path)).replace("/p/../o/out/", "", 1)
