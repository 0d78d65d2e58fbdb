"""Unpacked packages by their hash, and trees of them as projects see them."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builds.packages.folders import CONTENT, Folders
from builds.packages.lock import FOLDER
from builds.packages.types import Package


class PackageCache:
    """What all builds share of packages. A tree is made of links to them."""

    def __init__(self, root: Path) -> None:
        self._packages = Folders(root / "packages")
        self._trees = Folders(root / "trees")

    def has(self, package: Package) -> bool:
        """Whether a package is here; what is wanted again stays longest."""
        return self._packages.has(package.integrity)

    def making(self) -> Path:
        """A folder of one's own to unpack a package in, into ``content``."""
        return self._packages.making()

    def keep(self, package: Package, made: Path, size: int) -> None:
        """Take a package that was unpacked."""
        self._packages.keep(package.integrity, made, size)

    def size(self, packages: list[Package]) -> int:
        """What packages take that are here."""
        return sum(self._packages.size(p) for p in {p.integrity for p in packages})

    @contextmanager
    def tree(self, packages: list[Package]) -> Iterator[Path]:
        """The packages at their places below one folder, as long as it is needed.

        Raises ``FileNotFoundError`` where one of them was trimmed away meanwhile.
        """
        for package in packages:
            if not self.has(package):
                raise FileNotFoundError(package.path)
        name = key(packages)
        if not self._trees.has(name):
            self._plant(packages, name)
        with self._trees.open(name) as tree:
            yield tree

    def trim(self, bytes_max: int) -> None:
        """Let the longest unused go until no more than ``bytes_max`` are left."""
        self._trees.tidy()
        if sum(self._packages.sizes().values()) > bytes_max:
            # links keep the bytes of a package: the trees go first, and are soon made again
            self._trees.trim(-1)
        self._packages.trim(bytes_max)

    def _plant(self, packages: list[Package], name: str) -> None:
        made = self._trees.making()
        content = made / CONTENT
        content.mkdir()
        for package in sorted(packages, key=lambda p: p.path):
            # what a package brings along in its own folder stays where it is
            target = content / package.path.removeprefix(f"{FOLDER}/")
            with self._packages.open(package.integrity) as source:
                shutil.copytree(source, target, copy_function=_linked, dirs_exist_ok=True)
        self._trees.keep(name, made, 0)


def key(packages: list[Package]) -> str:
    """The hash of what lies where."""
    lines = sorted(f"{p.path}\0{p.integrity}\n" for p in packages)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _linked(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
