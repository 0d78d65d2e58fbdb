"""Unpacked packages by their hash, and trees of them as projects see them."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from builds import stopping
from builds.packages.folders import CONTENT, Folders
from builds.packages.lock import FOLDER
from builds.packages.types import Package

_LINK_BYTES = 512
# of what the packages may take, for all trees
_TREES_SHARE = 8
_TREE_UNUSED_S = 86_400.0


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
        """What packages that are here come to at their places, each as often as it is wanted.

        Each of their files and folders counts as a block of the disk or more: no more links than
        this has blocks are made of them.
        """
        sizes = {name: self._packages.size(name) for name in {p.integrity for p in packages}}
        return sum(sizes[p.integrity] for p in packages)

    @contextmanager
    def tree(self, packages: list[Package]) -> Iterator[Path]:
        """The packages at their places below one folder, as long as it is needed.

        Raises ``FileNotFoundError`` where one of them was trimmed away meanwhile.
        """
        for package in packages:
            if not self.has(package):
                raise FileNotFoundError(package.path)
        name = key(packages)
        with ExitStack() as held:
            try:
                tree = held.enter_context(self._trees.open(name))
                self._trees.has(name)
            except FileNotFoundError:
                self._plant(packages, name)
                tree = held.enter_context(self._trees.open(name))
            yield tree

    def trim(self, bytes_max: int) -> None:
        """Let the longest unused go until no more than ``bytes_max`` are left."""
        # a tree is soon made again
        self._trees.expire(_TREE_UNUSED_S)
        self._trees.trim(bytes_max // _TREES_SHARE)
        if sum(self._packages.sizes().values()) > bytes_max:
            # links keep the bytes of a package: the trees go first, and are soon made again
            self._trees.trim(-1)
        self._packages.trim(bytes_max)

    def _plant(self, packages: list[Package], name: str) -> None:
        made = self._trees.making()
        try:
            content = made / CONTENT
            content.mkdir()
            links = _Links()
            for package in sorted(packages, key=lambda p: p.path):
                # what a package brings along in its own folder stays where it is
                target = content / package.path.removeprefix(f"{FOLDER}/")
                with self._packages.open(package.integrity) as source:
                    shutil.copytree(source, target, copy_function=links.add, dirs_exist_ok=True)
            self._trees.keep(name, made, links.bytes)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise


def key(packages: list[Package]) -> str:
    """The hash of what lies where."""
    lines = sorted(f"{p.path}\0{p.integrity}\n" for p in packages)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class _Links:
    """Makes links, and counts what they take: a line of a folder, and their part of it."""

    def __init__(self) -> None:
        self.bytes = 0

    def add(self, source: str, target: str) -> None:
        """Link a file, or copy it where there is no link to be had."""
        stopping.look()
        Path(target).unlink(missing_ok=True)
        self.bytes += _LINK_BYTES
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
            self.bytes += Path(target).stat().st_size
