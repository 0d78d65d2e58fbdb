"""What comes out of a sandbox, taken apart."""

import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

from builds import stopping
from builds.types import BuildError


def unpack(archive: Path, folder: Path, files_max: int) -> None:
    """Take an archive that a stranger made: plain files and folders, none of them outside."""
    with tarfile.open(archive, "r:") as tar:
        for count, member in enumerate(tar):
            path = PurePosixPath(member.name)
            if count > files_max:
                raise BuildError("RESOURCE_LIMIT", f"The bundle has more than {files_max} files.")
            if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
                raise BuildError("OUTSIDE_PROJECT", "The bundler made something that is no file.")
            target = folder / path
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif (content := tar.extractfile(member)) is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(content, target)


def _write(content: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        while piece := content.read(1 << 20):
            stopping.look()
            file.write(piece)
