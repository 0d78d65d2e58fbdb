"""An engine as modules of their own: made in the sandbox once, from its packages alone."""

import asyncio
import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from builds.packages import lock
from builds.packages.cache import key as tree_key
from builds.packages.folders import CONTENT, Folders
from builds.packages.types import Package
from builds.vendor.engines import Import

FOLDER = "vendor"
OUT = "/o/out"
META = "meta.json"

_ABOUT = "about.json"
# a change of these makes other bytes: they are a part of what a chunk is kept under
_FLAGS = (
    "--bundle",
    "--format=esm",
    "--splitting",
    "--platform=browser",
    "--target=es2022",
    "--minify",
    f"--outdir={OUT}",
    "--entry-names=[name]-[hash]",
    "--chunk-names=[name]-[hash]",
    f"--metafile={OUT}/{META}",
    "--tsconfig-raw={}",
    "--color=false",
    "--log-level=warning",
)


class Chunks(Struct, frozen=True):
    """Where each specifier is found below the site; nothing where it cannot be done."""

    imports: dict[str, str] = {}


class _Output(Struct, frozen=True, rename="camel"):
    entry_point: str | None = None
    exports: list[str] = []
    imports: list[Import] = []


class _Metafile(Struct, frozen=True):
    outputs: dict[str, _Output]


class Bundler(Protocol):
    """Whoever runs esbuild in a sandbox."""

    async def __call__(self, arguments: list[str], modules: Path, into: Path) -> bool:
        """Bundle what lies in ``modules`` ``into`` a folder; return whether it succeeded."""


class Order(Struct, frozen=True):
    """What is wanted of one engine, for a project with these packages.

    With ``anew``, which nobody else says, it is not taken from what is there.
    """

    engine: str
    specifiers: list[str]
    packages: list[Package]
    bundler: str
    anew: str = ""

    @property
    def closure(self) -> list[Package]:
        """The engine's package, and what it needs."""
        return lock.closure(self.packages, [f"{lock.FOLDER}/{self.engine}"])

    @property
    def key(self) -> str:
        """The hash of all that decides about the bytes."""
        parts = [tree_key(self.closure), self.bundler, self.anew, *_FLAGS, *self.specifiers]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


async def made(order: Order, kept: Folders, modules: Path, bundler: Bundler, site: Path) -> Chunks:
    """Put an engine's modules into ``site``, made now or long ago; ``modules`` has its closure."""
    key = order.key
    try:
        if kept.has(key):
            with suppress(FileNotFoundError):
                return await asyncio.to_thread(_placed, kept, key, site)
            # it was trimmed away before it was held
        await _make(order, kept, modules, bundler)
        return await asyncio.to_thread(_placed, kept, key, site)
    finally:
        if order.anew:
            # nobody asks for it again, and it takes the place of what somebody does
            await asyncio.to_thread(kept.remove, key)


async def _make(order: Order, kept: Folders, modules: Path, bundler: Bundler) -> None:
    folder = await asyncio.to_thread(kept.making)
    try:
        content = folder / CONTENT
        content.mkdir()
        names = {_slug(s): s for s in order.specifiers}
        arguments = [*_FLAGS, *(f"{name}={s}" for name, s in names.items())]
        succeeded = await bundler(arguments, modules, content)
        is_whole = succeeded and len(names) == len(order.specifiers)
        about = await asyncio.to_thread(_about, content, names) if is_whole else Chunks()
        (content / _ABOUT).write_bytes(msgspec.json.encode(about))
        size = sum(p.stat().st_size for p in content.iterdir())
        await asyncio.to_thread(kept.keep, order.key, folder, size)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _slug(specifier: str) -> str:
    return specifier.removesuffix(".js").replace("/", "_").replace(".", "_")


def _about(content: Path, names: dict[str, str]) -> Chunks:
    meta = msgspec.json.decode((content / META).read_bytes(), type=_Metafile)
    (content / META).unlink()
    imports: dict[str, str] = {}
    for path, output in meta.outputs.items():
        file = path.rpartition("/")[2]
        slug = file.rpartition("-")[0]
        if output.entry_point is None or slug not in names:
            continue
        # a module of the older kind has no names to import
        if output.exports in ([], ["default"]) or any(i.external for i in output.imports):
            return Chunks()
        imports[names[slug]] = f"{FOLDER}/{file}"
    return Chunks(imports) if len(imports) == len(names) else Chunks()


def _placed(kept: Folders, key: str, site: Path) -> Chunks:
    with kept.open(key) as content:
        about = msgspec.json.decode((content / _ABOUT).read_bytes(), type=Chunks)
        if about.imports:
            (site / FOLDER).mkdir(exist_ok=True)
            for file in content.iterdir():
                if file.suffix in {".js", ".css"}:
                    shutil.copyfile(file, site / FOLDER / file.name)
    return about
