"""Content by its hash, kept from build to build."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from builds import stopping
from builds.types import BuildError


class Cache:
    """A folder of files named by their SHA-256. What is in it was checked when it came."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str) -> Path:
        """Where the content is, or would be."""
        return self._root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether it is here; what is wanted again stays longest."""
        try:
            os.utime(self.path(sha256))
        except FileNotFoundError:
            return False
        return True

    def put(self, sha256: str, content: bytes) -> None:
        """Keep ``content``; raises ``BuildError`` where it is not what it should be."""
        with self.writing(sha256) as file:
            file.write(content)

    @contextmanager
    def writing(self, sha256: str) -> Generator[IO[bytes]]:
        """Write content piece by piece; it is here, whole and checked, or not at all."""
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._root, delete=False) as file:
            try:
                yield file
                file.flush()
                _verify(Path(file.name), sha256)
                os.fchmod(file.fileno(), 0o644)
                Path(file.name).rename(target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def place(self, sha256: str, target: Path) -> None:
        """Put the content at ``target``, without a copy where the disk allows it."""
        stopping.look()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(self.path(sha256), target)
        except OSError:
            shutil.copyfile(self.path(sha256), target)

    def trim(self, bytes_max: int) -> None:
        """Let the longest unused go until no more than ``bytes_max`` are left."""
        with suppress(FileNotFoundError):
            found = [(p, p.stat()) for p in self._root.glob("*/*")]
            size = sum(s.st_size for _, s in found)
            for path, stat in sorted(found, key=lambda pair: pair[1].st_mtime):
                if size <= bytes_max:
                    return
                path.unlink(missing_ok=True)
                size -= stat.st_size


def _verify(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise BuildError("SOURCE_CORRUPT", "A file did not arrive as it was stored.")
