"""Scripts that other threads run: found where the code starts them, each a bundle of its own.

``new URL("./x.ts", import.meta.url)`` is how the platform names such a script, and no bundler's
graph has it. All bundles lie beside each other at the root of the site, so the address of one is
the same for whoever starts it: in the bundler's copy of a module it takes the place of the path.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath

from msgspec import Struct

from builds.pipeline import esbuild
from builds.pipeline.plan import Plan
from builds.types import BuildError, Diagnostic

# spaces are taken once and not given back: what does not match is not gone through again
_ADDRESS = re.compile(
    r"""(?P<head>\bnew\s++URL\s*+\(\s*+(?P<quote>["'`]))(?P<path>\.{1,2}/[^"'`\s$\\]{1,500}+)"""
    r"""(?P<tail>(?P=quote)\s*+,\s*+import\.meta\.url\s*+,?\s*+\))"""
)
_CODE = (".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs")
_NOT_BUNDLED = ("assets/", "public/", "node_modules/")
_SUFFIX = ".worker"
_SCRIPTS_MAX = 64
_ADDRESSES_MAX = 10_000


class Scripts(Struct, frozen=True):
    """The scripts by their names in the site, and the modules that say something else now."""

    entries: dict[str, str]
    changed: dict[str, Path]
    diagnostics: list[Diagnostic]


class _Address(Struct, frozen=True):
    """Where a path stands in a module's text, and which file it means."""

    start: int
    end: int
    target: str


def found(plan: Plan, tree: Path, place: Path, bytes_max: int, diagnostics_max: int) -> Scripts:
    """Look for scripts; a module that starts one is written anew into ``place``."""
    files = set(plan.files)
    started = dict.fromkeys(plan.workers)
    changed: dict[str, Path] = {}
    told: list[Diagnostic] = []
    count = 0
    for path in plan.files:
        text = _text(tree / path, bytes_max) if _is_code(path) else ""
        if "import.meta.url" not in text:
            continue
        here = list(_addresses(path, text, _ADDRESSES_MAX - count))
        count += len(here)
        scripts = [address for address in here if _is_code(address.target)]
        missing = [address for address in scripts if address.target not in files]
        told += _missing(path, text, missing[: diagnostics_max - len(told)])
        known = [address for address in scripts if address.target in files]
        started |= dict.fromkeys(address.target for address in known)
        _refuse_many(len(started), _SCRIPTS_MAX, "scripts of workers")
        if known:
            changed[path] = _rewritten(text, known, place / str(len(changed)))
    _refuse_many(len(started), _SCRIPTS_MAX, "scripts of workers")
    return Scripts(_named(started), changed, told)


def laid_out(changed: dict[str, Path], tree: Path, into: Path) -> Path:
    """Make a tree with the changed modules in their places, and with links to all other files.

    The first tree stays as it is, and so does what its own files are links to.
    """
    shutil.copytree(tree, into, copy_function=_link)
    for path, file in changed.items():
        # takes the place of the link: nothing is written through it
        file.replace(into / path)
    return into


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _refuse_many(count: int, most: int, what: str) -> None:
    if count > most:
        raise BuildError("CONFIG_INVALID", f"A game has at most {most} {what}.")


def _is_code(path: str) -> bool:
    return path.endswith(_CODE) and not path.startswith(_NOT_BUNDLED)


def _text(path: Path, bytes_max: int) -> str:
    """The module such that its bytes can be had again, even where they are no text."""
    if path.stat().st_size > bytes_max:
        return ""
    return path.read_bytes().decode(errors="surrogateescape")


def _addresses(path: str, text: str, most: int) -> Iterator[_Address]:
    folder = str(PurePosixPath(path).parent)
    for count, match in enumerate(_ADDRESS.finditer(text), 1):
        _refuse_many(count, most, "addresses of files in its code")
        yield _Address(
            match.start("path"), match.end("path"), normpath(f"{folder}/{match['path']}")
        )


def _rewritten(text: str, known: list[_Address], place: Path) -> Path:
    pieces: list[str] = []
    end = 0
    for address in known:
        pieces += [text[end : address.start], f"./{_name(address.target)}.js"]
        end = address.end
    place.parent.mkdir(exist_ok=True)
    content = "".join([*pieces, text[end:]])
    place.write_bytes(content.encode(errors="surrogateescape"))
    return place


def _name(path: str) -> str:
    return esbuild.plain(str(PurePosixPath(path).with_suffix("")).replace("/", ".") + _SUFFIX)


def _named(started: Iterable[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for path in started:
        if entries.setdefault(_name(path), path) != path:
            message = f"{path} and {entries[_name(path)]} would have one name as workers."
            raise BuildError("CONFIG_INVALID", message)
    return dict(sorted(entries.items()))


def _missing(path: str, text: str, missing: list[_Address]) -> Iterator[Diagnostic]:
    line, units, at = 1, 0, 0
    for address in missing:
        line += text.count("\n", at, address.start)
        newline = text.rfind("\n", at, address.start)
        units = _units(text[max(at, newline + 1) : address.start]) + (units if newline < 0 else 0)
        at = address.start
        target = address.target.encode(errors="surrogateescape").decode(errors="replace")
        message = f"{target} is not there: nothing is at this address when the game runs."
        yield Diagnostic(path, line, units + 1, "WORKER_MISSING", message, "warning")


def _units(text: str) -> int:
    """How many units of UTF-16 a text has, by which editors count."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
