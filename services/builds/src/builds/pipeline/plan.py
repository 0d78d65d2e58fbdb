"""What is in a tree: where its code starts, what its page is, what is copied as it is."""

from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from builds.packagers import pwa
from builds.packagers.types import INDEX
from builds.pipeline import page, tsconfig
from builds.types import BuildError, Diagnostic

_ENTRIES = ("src/main.ts", "src/main.tsx", "src/index.ts", "main.ts", "index.ts", "src/main.js")
_CHECKED = (".ts", ".tsx", ".mts", ".cts")
_CODE = (*_CHECKED, ".jsx")
_STATIC = ("assets/", "public/")
_ABOUT = "project.json"
# every site has these beside the game's own files
_MADE = (INDEX, pwa.MANIFEST, pwa.WORKER, pwa.STARTER)
_SHOWN_MAX = 100
_OURS = frozenset({_ABOUT, "package.json", "package-lock.json", "template.json"})


class About(Struct, frozen=True):
    """What project.json says."""

    name: str = "Game"
    entry: str = ""
    page: str = INDEX
    workers: list[str] = []


class Plan(Struct, frozen=True):
    """How a tree becomes a site."""

    page_path: str
    page: str
    entries: list[str]
    is_typed: bool
    config: dict[str, Any]
    files: list[str]
    workers: list[str] = []


def of(tree: Path, text_bytes_max: int) -> Plan:
    """Look at a tree; raises ``BuildError`` where it cannot be built.

    The page and the project's own configuration have at most ``text_bytes_max`` bytes each.
    """
    files = sorted(str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file())
    _refuse_long(tree, "project.json", text_bytes_max)
    about = _about(tree)
    page_path = _page_path(about, files)
    for name in (page_path, "tsconfig.json"):
        if name in files:
            _refuse_long(tree, name, text_bytes_max)
    text = _text(tree / page_path) if page_path in files else page.empty(about.name)
    config = tsconfig.read(_text(tree / "tsconfig.json")) if "tsconfig.json" in files else {}
    entries = _entries(about, page_path, page.modules(text), set(files))
    is_typed = any(f.endswith(_CHECKED) for f in files)
    workers = _workers(about, set(files))
    return Plan(page_path, text, entries, is_typed, config, files, workers)


def _page_path(about: About, files: list[str]) -> str:
    path = page.local(about.page) or INDEX
    if path != INDEX and path not in files:
        message = f"{_ABOUT} names the page {_shown(about.page)}, which is not there."
        raise _fault("CONFIG_INVALID", _ABOUT, message)
    for made in _MADE:
        # a folder of that name, or a file where a folder is made
        other = next((f for f in files if made.startswith(f"{f}/") or f.startswith(f"{made}/")), "")
        if other:
            message = f"{other} is in the way of {made}, which every game is given."
            raise _fault("CONFIG_INVALID", other, message)
    return path


def _shown(name: str) -> str:
    """A name as a message can have it, whatever somebody wrote for one."""
    return repr(name[:_SHOWN_MAX])


def _refuse_long(tree: Path, name: str, bytes_max: int) -> None:
    """What the worker itself reads, outside of any sandbox, has a limit."""
    path = tree / name
    if path.is_file() and path.stat().st_size > bytes_max:
        raise BuildError("RESOURCE_LIMIT", f"{name} has more than {bytes_max} bytes.")


def _about(tree: Path) -> About:
    try:
        return msgspec.json.decode((tree / "project.json").read_bytes(), type=About)
    except FileNotFoundError:
        return About()
    except (msgspec.MsgspecError, UnicodeError, RecursionError, IsADirectoryError) as exc:
        raise _fault("CONFIG_INVALID", _ABOUT, f"{_ABOUT} cannot be read: {exc}") from exc


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _fault(code: str, file: str, message: str) -> BuildError:
    return BuildError(
        code, message, diagnostics=[Diagnostic(file, None, None, code, message, "error")]
    )


def _entries(about: About, page_path: str, started: list[str], files: set[str]) -> list[str]:
    missing = [path for path in started if path not in files]
    if missing:
        message = f"The page starts {_shown(missing[0])}, which is not there."
        raise _fault("ENTRY_MISSING", page_path, message)
    if started:
        return started
    named = page.local(about.entry)
    if named and named not in files:
        raise _fault(
            "ENTRY_MISSING", _ABOUT, f"{_ABOUT} names {_shown(named)}, which is not there."
        )
    if named:
        return [named]
    found = [path for path in _ENTRIES if path in files]
    if not found:
        raise BuildError("ENTRY_MISSING", f"There is no {_ENTRIES[0]} to start with.")
    return found[:1]


def _workers(about: About, files: set[str]) -> list[str]:
    named = {worker: page.local(worker) for worker in about.workers}
    for worker, path in named.items():
        if path not in files:
            message = f"{_ABOUT} names the worker {_shown(worker)}, which is not there."
            raise _fault("ENTRY_MISSING", _ABOUT, message)
    return list(dict.fromkeys(named.values()))


def is_copied(path: str, used: set[str]) -> bool:
    """Whether a file goes into the site as it is; ``used`` are those that the bundle is made of."""
    if path.startswith(_STATIC):
        return not _is_hidden(path)
    name = PurePosixPath(path).name
    is_code = path.endswith(_CODE) or path in used or path.startswith("node_modules/")
    is_about = path in _OURS or (name.startswith("tsconfig") and name.endswith(".json"))
    return not (is_code or is_about or _is_hidden(path))


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)
