"""The bundle: esbuild's work, and a look at what went into it."""

import asyncio
import tarfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
from msgspec import Struct

from builds import steps
from builds.pipeline import diagnostics, tsconfig, verdicts
from builds.pipeline.context import Lines, Order, Rooms, Told, Workshop, limits, step
from builds.pipeline.plan import Plan
from builds.sandbox.types import Job, Mount
from builds.types import BuildError, Diagnostic

STEP = steps.BUNDLE

_FILES = "png jpg jpeg gif webp avif svg ogg mp3 wav m4a webm mp4 ttf otf woff woff2 glb wasm"
_TEXTS = "txt glsl vert frag wgsl"
_META = "meta.json"
_OUT = "/o/out"


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


class Metafile(Struct, frozen=True):
    """What esbuild says of its work."""

    inputs: dict[str, msgspec.Raw]
    outputs: dict[str, Output]


class Bundle(Struct, frozen=True):
    """What came of the modules. Paths are those of the site."""

    files: list[str]
    scripts: dict[str, str]
    styles: list[str]
    inputs: set[str]
    diagnostics: list[Diagnostic]


async def modules(order: Order, plan: Plan, shop: Workshop, rooms: Rooms, told: Told) -> Bundle:
    """Bundle what the page starts; raises ``BuildError`` only for what no diagnostic tells."""
    archive = rooms.root / "bundle.tar"
    arguments = _arguments(order, plan)
    # the system takes an argument only so long, and says so too late
    if max(len(argument.encode()) for argument in arguments) > shop.settings.argument_bytes_max:
        raise BuildError("CONFIG_INVALID", "tsconfig.json has more to say than can be heeded.")
    job = Job(
        command=("/t/esbuild", *arguments),
        mounts=(Mount(shop.esbuild, "/t/esbuild"), *rooms.project),
        takes=_OUT,
        output=archive,
    )
    with step(told, STEP) as progress:
        most = limits(shop.settings, shop.settings.bundle_s_max)
        with closing(Lines(told, STEP)) as lines:
            outcome = await shop.sandbox.run(job, most, lines)
        verdicts.judge("The bundler", outcome)
        found = diagnostics.of_esbuild(outcome.log.decode(errors="replace"))
        if not outcome.succeeded:
            if not verdicts.errors_of(found):
                message = f"The bundler ended with code {outcome.code}."
                found.append(Diagnostic(None, None, None, "ESBUILD", message, "error"))
            progress.status = "failed"
            return Bundle([], {}, [], set(), found)
        await asyncio.to_thread(unpack, archive, rooms.bundle, shop.settings.files_max)
        return _bundle(rooms.bundle, found)


def _arguments(order: Order, plan: Plan) -> list[str]:
    config = msgspec.json.encode(tsconfig.for_the_bundler(plan.config)).decode()
    target = tsconfig.language(plan.config)
    return [
        *(f"./{entry}" for entry in plan.entries),
        "--bundle",
        "--format=esm",
        "--splitting",
        "--platform=browser",
        f"--target={target if target in _TARGETS else 'es2022'}",
        f"--outdir={_OUT}",
        "--entry-names=[name]-[hash]",
        "--chunk-names=chunk-[hash]",
        "--asset-names=assets/[name]-[hash]",
        f"--metafile={_OUT}/{_META}",
        f"--tsconfig-raw={config}",
        "--color=false",
        "--log-limit=0",
        "--log-level=warning",
        *(f"--loader:.{ending}=file" for ending in endings_of_files()),
        *(f"--loader:.{ending}=text" for ending in endings_of_texts()),
        *(["--minify"] if order.options.minify else []),
        *(["--sourcemap"] if order.options.sourcemap else []),
    ]


_TARGETS = {f"es{year}" for year in range(2017, 2026)} | {"esnext"}


def unpack(archive: Path, folder: Path, files_max: int) -> None:
    """Take an archive that a stranger made: plain files and folders, none of them outside."""
    with tarfile.open(archive, "r:") as tar:
        for count, member in enumerate(tar):
            path = PurePosixPath(member.name)
            if count > files_max:
                raise BuildError("RESOURCE_LIMIT", f"The bundle has more than {files_max} files.")
            if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
                raise BuildError("OUTSIDE_PROJECT", "The bundler made something that is no file.")
            target = folder / path
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif (content := tar.extractfile(member)) is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(content, target)


def _write(content: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        while piece := content.read(1 << 20):
            file.write(piece)


def _bundle(folder: Path, found: list[Diagnostic]) -> Bundle:
    meta_path = folder / _META
    try:
        meta = msgspec.json.decode(meta_path.read_bytes(), type=Metafile)
    except (OSError, msgspec.MsgspecError) as exc:
        raise BuildError("BUNDLE_ERROR", "The bundler left no account of its work.") from exc
    meta_path.unlink()
    inputs = refuse_outsiders(meta)
    scripts = {o.entry_point: _inside(path) for path, o in meta.outputs.items() if o.entry_point}
    styles = [_inside(o.css_bundle) for o in meta.outputs.values() if o.css_bundle]
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    return Bundle(files, scripts, styles, inputs, found)


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
