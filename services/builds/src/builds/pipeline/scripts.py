"""Scripts that other threads run: found where the code starts them, each a bundle of its own.

``new URL("./x.ts", import.meta.url)`` is how the platform names such a script, and no bundler's
graph has it. All bundles lie beside each other at the root of the site, so the address of one is
the same for whoever starts it: in the bundler's copy of a module it takes the place of the path.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

from msgspec import Struct

from builds.pipeline.plan import Plan
from builds.types import BuildError, Diagnostic

_ADDRESS = re.compile(
    r"""(?P<head>\bnew\s+URL\s*\(\s*(?P<quote>["'`]))(?P<path>\.{1,2}/[^"'`\s$\\]{1,500})"""
    r"""(?P<tail>(?P=quote)\s*,\s*import\.meta\.url\s*,?\s*\))"""
)
_CODE = (".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs")
_NOT_BUNDLED = ("assets/", "public/", "node_modules/")
_SUFFIX = ".worker"


class Scripts(Struct, frozen=True):
    """The scripts by their names in the site, and the modules that say something else now."""

    entries: dict[str, str]
    changed: dict[str, Path]
    diagnostics: list[Diagnostic]


def found(plan: Plan, tree: Path, place: Path, bytes_max: int) -> Scripts:
    """Look for scripts; a module that starts one is written anew into ``place``."""
    files = set(plan.files)
    started: list[str] = list(plan.workers)
    changed: dict[str, Path] = {}
    told: list[Diagnostic] = []
    for path in plan.files:
        text = _text(tree / path, bytes_max) if _is_code(path) else ""
        if "import.meta.url" not in text:
            continue
        here = _started(path, text)
        told += [_missing(path, text, m, t) for m, t in here if t not in files]
        known = [(m, t) for m, t in here if t in files]
        if known:
            changed[path] = _rewritten(text, known, place / str(len(changed)))
            started += [target for _, target in known]
    return Scripts(_named(started), changed, told)


def _is_code(path: str) -> bool:
    return path.endswith(_CODE) and not path.startswith(_NOT_BUNDLED)


def _text(path: Path, bytes_max: int) -> str:
    if path.stat().st_size > bytes_max:
        return ""
    return path.read_bytes().decode(errors="surrogateescape")


def _started(path: str, text: str) -> list[tuple[re.Match[str], str]]:
    folder = str(PurePosixPath(path).parent)
    pairs = [(m, normpath(f"{folder}/{m['path']}")) for m in _ADDRESS.finditer(text)]
    return [(match, target) for match, target in pairs if _is_code(target)]


def _rewritten(text: str, known: list[tuple[re.Match[str], str]], place: Path) -> Path:
    for match, target in reversed(known):
        address = f"./{_name(target)}.js"
        text = text[: match.start("path")] + address + text[match.end("path") :]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(text.encode(errors="surrogateescape"))
    return place


def _name(path: str) -> str:
    return str(PurePosixPath(path).with_suffix("")).replace("/", ".") + _SUFFIX


def _named(started: list[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for path in started:
        if entries.setdefault(_name(path), path) != path:
            message = f"{path} and {entries[_name(path)]} would have one name as workers."
            raise BuildError("CONFIG_INVALID", message)
    return dict(sorted(entries.items()))


def _missing(path: str, text: str, match: re.Match[str], target: str) -> Diagnostic:
    before = text[: match.start("path")]
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    message = f"{target} is not there: nothing is at this address when the game runs."
    return Diagnostic(path, line, column, "WORKER_MISSING", message, "warning")
