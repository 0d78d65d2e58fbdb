"""Engines that are bundled once for all games: which, and what a game takes of them."""

import re

from msgspec import Struct

from builds.packages import lock
from builds.packages.types import Package

ENGINES = ("phaser", "three", "pixi.js")

_IS_SPECIFIER = re.compile(r"[a-zA-Z0-9@._/-]{1,200}")
_IMPORTS = frozenset({"import-statement", "dynamic-import"})
_WANTED_MAX = 50


class Import(Struct, frozen=True):
    """What esbuild says of an import in something that it made."""

    path: str
    kind: str
    external: bool = False


def locked(packages: list[Package]) -> list[str]:
    """The engines among the packages, each where there is but one of it."""
    places = {p.path for p in packages}
    return [
        name
        for name in ENGINES
        if f"{lock.FOLDER}/{name}" in places and not lock.is_locked_below(packages, name)
    ]


def wanted(imports: list[Import]) -> dict[str, list[str]] | None:
    """What is imported of each engine; nothing where a page's import map cannot give it."""
    found: dict[str, set[str]] = {}
    for item in imports:
        engine = engine_of(item.path)
        if not item.external or engine is None:
            continue
        if item.kind not in _IMPORTS or not _IS_SPECIFIER.fullmatch(item.path):
            return None
        found.setdefault(engine, set()).add(item.path)
    if any(len(specifiers) > _WANTED_MAX for specifiers in found.values()):
        return None
    return {engine: sorted(specifiers) for engine, specifiers in sorted(found.items())}


def engine_of(specifier: str) -> str | None:
    """The engine that a specifier means, whole or a part of it."""
    return next((e for e in ENGINES if specifier == e or specifier.startswith(f"{e}/")), None)
