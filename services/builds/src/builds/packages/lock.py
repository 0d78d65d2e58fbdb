"""What a project depends on: package.json, and package-lock.json of version 3 that settles it."""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import PurePosixPath

import msgspec
from msgspec import Struct, field

from builds.packages.types import Package
from builds.types import BuildError, Diagnostic

MANIFEST = "package.json"
LOCK = "package-lock.json"
FOLDER = "node_modules"

_VERSION = 3
_SHA512 = "sha512-"
_SHA512_BYTES = 64
# a name is a part of an address and of a path: nothing in it may mean anything there
_NAME = r"(?:@[a-z0-9~_-][a-z0-9._~-]*/)?[a-zA-Z0-9~_-][a-zA-Z0-9._~-]*"
_IS_NAME = re.compile(_NAME)
_IS_PLACE = re.compile(rf"node_modules/{_NAME}(?:/node_modules/{_NAME})*")
# each character is looked at once, whatever the code: nothing that was taken is given back
_NAMED = re.compile(
    rb"([\"'])((?:@[a-z0-9~_-][a-z0-9._~-]*+/)?+[a-zA-Z0-9~_-][a-zA-Z0-9._~-]*+)(?=\1|/)"
)
_IS_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*")
_ELSEWHERE = re.compile(
    r"(?:git|github|gitlab|bitbucket|gist|file|link|workspace|https?)\b[^:]*:|[./]|~/|[\w.-]+/"
)
_PLATFORM = {"os": "linux", "cpu": "wasm32"}

# what a lock may come to before anything is looked for in it: far more than npm writes for a game
_PLACES_MAX = 20_000
_DEPTH_MAX = 32
_PLACE_CHARS_MAX = 2048
# npm's own
_NAME_CHARS_MAX = 214
_DEPENDENCIES_MAX = 1000
_NEEDS_MAX = 500
_NEEDS_MAX_OF_ALL = 20_000


class Manifest(Struct, frozen=True, rename="camel"):
    """What is heeded of a package.json."""

    dependencies: dict[str, str] = {}
    dev_dependencies: dict[str, str] = {}
    optional_dependencies: dict[str, str] = {}


class Entry(Struct, frozen=True, rename="camel"):
    """What is heeded of a package in a lock."""

    name: str = ""
    version: str = ""
    resolved: str | bool = ""
    integrity: str = ""
    link: bool = False
    dev: bool = False
    optional: bool = False
    dev_optional: bool = False
    in_bundle: bool = False
    os: list[str] | str = []
    cpu: list[str] | str = []
    dependencies: dict[str, str] = {}
    dev_dependencies: dict[str, str] = {}
    optional_dependencies: dict[str, str] = {}
    peer_dependencies: dict[str, str] = {}


class _Lock(Struct, frozen=True, rename="camel"):
    lockfile_version: int = 0
    packages: dict[str, Entry] = field(default_factory=dict)


def wanted(
    manifest: bytes, lock: bytes | None, named: Callable[[set[str]], set[str]], *, packages_max: int
) -> list[Package]:
    """Return the packages that a build needs; raises ``BuildError``.

    Those are the ones that are not for development alone, and of these the declarations of types
    and what the code itself names (``named`` says which), with all that they need in turn.
    """
    said = _read(manifest, MANIFEST, Manifest)
    _refuse_many_dependencies(said)
    given = said.dependencies | said.optional_dependencies
    if lock is None and not given:
        return []
    if lock is None:
        raise _unlocked(f"{MANIFEST} has dependencies and there is no {LOCK}: run npm install.")
    settled = _read(lock, LOCK, _Lock)
    if settled.lockfile_version != _VERSION:
        message = f"{LOCK} has version {settled.lockfile_version or '?'}; {_VERSION} is read."
        if not given:
            return []
        raise _unlocked(message)
    _refuse_too_much(settled.packages)
    _compare(said, settled.packages.get("", Entry()))
    types = {n for n in said.dev_dependencies if n.startswith("@types/")}
    tools = types | named(said.dev_dependencies.keys() - types - given.keys())
    found = _reached(settled.packages, sorted({*given, *tools}), packages_max)
    return [_package(path, settled.packages[path], found[path]) for path in sorted(found)]


def _nearest(places: dict[str, Entry], path: str, name: str) -> str:
    """The place that ``name`` means for the package at ``path``, as Node looks for it."""
    while True:
        place = f"{path}/{FOLDER}/{name}" if path else f"{FOLDER}/{name}"
        if place in places or not path:
            return place if place in places else ""
        path = path.rpartition(f"{FOLDER}/")[0].rstrip("/")


def _read[T](content: bytes, name: str, into: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=into)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        message = f"{name} cannot be read: {exc}"
        found = Diagnostic(name, None, None, "CONFIG", message, "error")
        raise BuildError("CONFIG_INVALID", message, diagnostics=[found]) from exc


def _refuse_many_dependencies(said: Manifest) -> None:
    names = [*said.dependencies, *said.dev_dependencies, *said.optional_dependencies]
    if len(names) > _DEPENDENCIES_MAX:
        raise _refused(f"{MANIFEST} has more than {_DEPENDENCIES_MAX} dependencies.")
    _refuse_long(names)


def _refuse_long(names: list[str]) -> None:
    if any(len(name) > _NAME_CHARS_MAX for name in names):
        raise _refused(f"A package's name has at most {_NAME_CHARS_MAX} characters.")


def _refuse_too_much(places: dict[str, Entry]) -> None:
    if len(places) > _PLACES_MAX:
        raise _refused(f"{LOCK} has more than {_PLACES_MAX} packages.")
    for place in places:
        if len(place) > _PLACE_CHARS_MAX or place.count(f"{FOLDER}/") > _DEPTH_MAX:
            raise _refused(f"{LOCK} has packages more than {_DEPTH_MAX} deep: {place[:100]!r}.")


def _compare(said: Manifest, root: Entry) -> None:
    """A lock that was made for another package.json settles nothing."""
    pairs = [
        (said.dependencies, root.dependencies),
        (said.dev_dependencies, root.dev_dependencies),
        (said.optional_dependencies, root.optional_dependencies),
    ]
    for ours, locked in pairs:
        for name, spec in ours.items():
            if _ELSEWHERE.match(spec):
                raise _refused(f"{name} is wanted from {spec!r}: only the registry is asked.")
            if locked.get(name) != spec:
                raise _unlocked(f"{LOCK} does not settle {name} {spec!r}: run npm install.")


def _reached(
    places: dict[str, Entry], roots: list[str], packages_max: int
) -> dict[str, tuple[str, ...]]:
    """Every place that something needs, beginning with ``roots``, and the places that it needs.

    Foreign platforms' are not among them, and neither is what is packed into another package: that
    comes with it.
    """
    found: dict[str, tuple[str, ...]] = {}
    waiting = [place for name in roots if (place := _place(places, "", name))]
    count = seen = 0
    while waiting:
        path = waiting.pop()
        entry = places[path]
        if path in found or _is_foreign(entry):
            continue
        count += not entry.in_bundle
        if count > packages_max:
            raise BuildError("RESOURCE_LIMIT", f"A build has at most {packages_max} packages.")
        names = _needs(path, entry)
        seen += len(names)
        if seen > _NEEDS_MAX_OF_ALL:
            raise _refused(f"The packages of {LOCK} need more than {_NEEDS_MAX_OF_ALL} others.")
        needs = {_place(places, path, name) for name in names}
        found[path] = tuple(sorted(needs - {""}))
        waiting += found[path]
    return {place: needs for place, needs in found.items() if not places[place].in_bundle}


def _needs(path: str, entry: Entry) -> list[str]:
    names = [*entry.dependencies, *entry.optional_dependencies, *entry.peer_dependencies]
    if len(names) > _NEEDS_MAX:
        raise _refused(f"{path} needs more than {_NEEDS_MAX} packages.")
    _refuse_long(names)
    return names


def _place(places: dict[str, Entry], path: str, name: str) -> str:
    """Where a need is met; nothing for one that npm leaves out of a lock."""
    place = _nearest(places, path, name)
    if not place:
        _refuse_missing(places, path, name)
    return place


def _refuse_missing(places: dict[str, Entry], path: str, name: str) -> None:
    # npm leaves out of a lock what is optional and fits nowhere
    wanting = places.get(path, Entry())
    if name in wanting.dependencies and name not in wanting.optional_dependencies:
        raise _unlocked(f"{LOCK} has no {name}, which {path or MANIFEST} needs: run npm install.")


def _is_foreign(entry: Entry) -> bool:
    """Whether a package is for other machines; what is bundled runs in browsers."""
    for given, ours in ((entry.os, _PLATFORM["os"]), (entry.cpu, _PLATFORM["cpu"])):
        listed = [given] if isinstance(given, str) else given
        named = [word for word in listed if not word.startswith("!")]
        if entry.optional and ((named and ours not in named) or f"!{ours}" in listed):
            return True
    return False


def _package(path: str, entry: Entry, needs: tuple[str, ...]) -> Package:
    name = entry.name or path.rpartition(f"{FOLDER}/")[2]
    if entry.link or not _IS_PLACE.fullmatch(path) or not _IS_NAME.fullmatch(name):
        raise _refused(f"{path} is a folder or a link: only the registry is asked.")
    resolved = entry.resolved if isinstance(entry.resolved, str) else ""
    if resolved and not resolved.startswith(("https:", "http:")):
        raise _refused(f"{path} comes from {resolved!r}: only the registry is asked.")
    if not _IS_VERSION.fullmatch(entry.version):
        raise _refused(f"{path} has the version {entry.version!r}, which is none.")
    return Package(path, name, entry.version, _sha512(path, entry.integrity), needs)


def names_in(code: bytes) -> set[str]:
    """The packages whose names stand in quotes, on their own or with a path behind them."""
    return {match[2].decode() for match in _NAMED.finditer(code)}


def _sha512(path: str, integrity: str) -> str:
    """The hash that a package must have, as hexadecimal digits."""
    for word in integrity.split():
        if word.startswith(_SHA512):
            text = word.removeprefix(_SHA512).partition("?")[0]
            try:
                digest = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue
            if len(digest) == _SHA512_BYTES:
                return digest.hex()
    raise _refused(f"{path} has no sha512 integrity in {LOCK}: it could be anything.")


def closure(packages: list[Package], roots: list[str]) -> list[Package]:
    """``roots`` (places) and whatever they need, of ``packages``."""
    by_place = {p.path: p for p in packages}
    found: dict[str, Package] = {}
    waiting = list(roots)
    while waiting:
        place = waiting.pop()
        if place in by_place and place not in found:
            found[place] = by_place[place]
            waiting += by_place[place].needs
    return sorted(found.values(), key=lambda p: p.path)


def is_locked_below(packages: list[Package], name: str) -> bool:
    """Whether there is another copy of a package than that which the project itself means."""
    own = f"{FOLDER}/{name}"
    return any(p.path != own and PurePosixPath(p.path).match(f"*/{own}") for p in packages)


def _unlocked(message: str) -> BuildError:
    return _error("DEPENDENCY_UNLOCKED", message)


def _refused(message: str) -> BuildError:
    return _error("DEPENDENCY_REFUSED", message)


def _error(code: str, message: str) -> BuildError:
    found = Diagnostic(LOCK, None, None, code, message, "error")
    return BuildError(code, message, diagnostics=[found])
