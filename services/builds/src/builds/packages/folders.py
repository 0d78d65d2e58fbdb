"""Folders by the hash of what they are made from, kept from build to build, for all workers."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONTENT = "content"

_SIZE = "size"
_MAKING = "making"
_STALE_S = 3600.0


class Folders:
    """Nobody writes to a folder once it is here. Who reads one holds it, so that it stays."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, key: str) -> bool:
        """Whether a folder is here; what is wanted again stays longest."""
        try:
            os.utime(self._root / key)
        except FileNotFoundError:
            return False
        return True

    def making(self) -> Path:
        """A folder of one's own, to make something in below ``content``."""
        place = self._root / _MAKING
        place.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=place))
        made.chmod(0o755)
        return made

    def keep(self, key: str, made: Path, size: int) -> None:
        """Give what was made its place, unless another was faster: it is the same."""
        (made / _SIZE).write_text(str(size), encoding="ascii")
        try:
            made.rename(self._root / key)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            if not (self._root / key).is_dir():
                raise

    @contextmanager
    def open(self, key: str) -> Iterator[Path]:
        """The folder, as long as it is needed; raises ``FileNotFoundError`` where it is not."""
        with _held(self._root / key) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            # before it was locked it may have been trimmed
            if not (self._root / key / CONTENT).is_dir():
                raise FileNotFoundError(key)
            yield self._root / key / CONTENT

    def sizes(self) -> dict[str, int]:
        """What the folders take, the longest unused first."""
        found = [p for p in self._root.glob("*") if p.name != _MAKING]
        found.sort(key=_used_at)
        return {p.name: _size(p) for p in found}

    def size(self, key: str) -> int:
        """What a folder takes."""
        return _size(self._root / key)

    def remove(self, key: str) -> None:
        """Remove a folder, unless somebody holds it."""
        with suppress(OSError), _held(self._root / key) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # out of the way at once: what is half removed must not be taken for whole
            away = self._root / _MAKING / f"{key[:32]}-{time.monotonic_ns()}"
            away.parent.mkdir(exist_ok=True)
            (self._root / key).rename(away)
            shutil.rmtree(away, ignore_errors=True)

    def trim(self, bytes_max: int) -> None:
        """Let the longest unused go until no more than ``bytes_max`` are left."""
        self.tidy()
        sizes = self.sizes()
        left = sum(sizes.values())
        for key, size in sizes.items():
            if left <= bytes_max:
                return
            self.remove(key)
            left -= size

    def expire(self, unused_s: float) -> None:
        """Let go what was not wanted for so long."""
        until = time.time() - unused_s
        for place in self._root.glob("*"):
            if place.name != _MAKING and _used_at(place) < until:
                self.remove(place.name)

    def tidy(self) -> None:
        """Remove what somebody began to make and did not end."""
        for made in (self._root / _MAKING).glob("*"):
            with suppress(OSError):
                if made.stat().st_mtime < time.time() - _STALE_S:
                    shutil.rmtree(made, ignore_errors=True)


def _used_at(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    try:
        return int((place / _SIZE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


@contextmanager
def _held(folder: Path) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)
