"""Unpacked packages by their hash, and trees of them as projects see them, kept for all builds."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builds.packages.lock import FOLDER
from builds.packages.types import Package

_CONTENT = "content"
_SIZE = "size"
_TREES = "trees"
_PACKAGES = "packages"
_MAKING = "making"
_STALE_S = 3600.0


class PackageCache:
    """Folders that nobody writes to once they are here, each under the hash of what it is.

    A tree is made of links to packages. Who reads one holds it, so that it is not trimmed away.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, package: Package) -> bool:
        """Whether a package is here; what is wanted again stays longest."""
        return _is_touched(self._package(package))

    def making(self) -> Path:
        """A folder of one's own to make something in, where it can be moved from."""
        place = self._root / _MAKING
        place.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=place))
        made.chmod(0o755)
        return made

    def keep(self, package: Package, made: Path, size: int) -> None:
        """Take a package that was unpacked into ``made / "content"``."""
        (made / _SIZE).write_text(str(size), encoding="ascii")
        _moved(made, self._package(package))

    @contextmanager
    def tree(self, packages: list[Package]) -> Iterator[Path]:
        """The packages at their places below one folder, as long as it is needed.

        Raises ``FileNotFoundError`` where one of them was trimmed away meanwhile.
        """
        place = self._root / _TREES / key(packages)
        for package in packages:
            if not self.has(package):
                raise FileNotFoundError(package.path)
        if not _is_touched(place):
            self._plant(packages, place)
        with _held(place) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            # between its making and its lock it may have been trimmed
            if not (place / _CONTENT).is_dir():
                raise FileNotFoundError(place)
            yield place / _CONTENT

    def trim(self, bytes_max: int) -> None:
        """Let the longest unused go until no more than ``bytes_max`` are left."""
        for made in (self._root / _MAKING).glob("*"):
            with suppress(OSError):
                if made.stat().st_mtime < time.time() - _STALE_S:
                    shutil.rmtree(made, ignore_errors=True)
        found = [(p, _size(p), p.stat().st_mtime) for p in (self._root / _PACKAGES).glob("*")]
        left = sum(size for _, size, _ in found)
        if left <= bytes_max:
            return
        # links keep the bytes of a package: the trees go first, and are soon made again
        for tree in (self._root / _TREES).glob("*"):
            _remove_unheld(tree)
        for path, size, _ in sorted(found, key=lambda entry: entry[2]):
            if left <= bytes_max:
                return
            _remove_unheld(path)
            left -= size

    def _package(self, package: Package) -> Path:
        return self._root / _PACKAGES / package.integrity

    def _plant(self, packages: list[Package], place: Path) -> None:
        made = self.making()
        content = made / _CONTENT
        content.mkdir()
        for package in sorted(packages, key=lambda p: p.path):
            source = self._package(package) / _CONTENT
            # what a package brings along in its own folder stays where it is
            target = content / package.path.removeprefix(f"{FOLDER}/")
            shutil.copytree(source, target, copy_function=_linked, dirs_exist_ok=True)
        _moved(made, place)


def key(packages: list[Package]) -> str:
    """The hash of what lies where."""
    lines = sorted(f"{p.path}\0{p.integrity}\n" for p in packages)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        Path(target).unlink()
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _moved(made: Path, place: Path) -> None:
    """Give what was made its place, unless another was faster: it is the same."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        made.rename(place)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not place.is_dir():
            raise


def _is_touched(place: Path) -> bool:
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


def _size(place: Path) -> int:
    try:
        return int((place / _SIZE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _remove_unheld(place: Path) -> None:
    with suppress(OSError), _held(place) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _gone(place)


def _gone(place: Path) -> None:
    """Out of the way at once: what is half removed must not be taken for whole."""
    away = place.parent.parent / _MAKING / f"{place.name[:32]}-{time.monotonic_ns()}"
    away.parent.mkdir(exist_ok=True)
    place.rename(away)
    shutil.rmtree(away, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)
