"""What the type checker remembers of a project from build to build.

It was written in a sandbox that had the project's files alone, and goes back into such sandboxes
alone. Whoever loses it, or finds it damaged, checks everything again.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from uuid import UUID

NAME = "tsbuildinfo"


class States:
    """A file for each project and target. One is replaced as a whole: no lock is needed to read."""

    def __init__(self, root: Path, bytes_max: int) -> None:
        self._root = root
        self._bytes_max = bytes_max

    def copy(self, project_id: UUID, target: str, into: Path) -> bool:
        """Put the project's state into a folder; return whether there is one."""
        place = self._place(project_id, target)
        try:
            shutil.copyfile(place, into / NAME)
            place.touch()
        except FileNotFoundError:
            return False
        return True

    def keep(self, project_id: UUID, target: str, made: Path) -> None:
        """Take what a check that found nothing wrong has left; too much of it is not kept."""
        if not made.is_file() or made.stat().st_size > self._bytes_max:
            return
        place = self._place(project_id, target)
        place.parent.mkdir(parents=True, exist_ok=True)
        # of two builds at once the later one is remembered
        made.rename(place)

    def drop(self, project_id: UUID, target: str) -> None:
        """Forget a project's state."""
        self._place(project_id, target).unlink(missing_ok=True)

    def trim(self, bytes_max: int) -> None:
        """Let the longest unused go until no more than ``bytes_max`` are left."""
        with suppress(FileNotFoundError):
            found = [(p, p.stat()) for p in self._root.glob("*/*")]
            left = sum(stat.st_size for _, stat in found)
            for path, stat in sorted(found, key=lambda pair: pair[1].st_mtime):
                if left <= bytes_max:
                    return
                path.unlink(missing_ok=True)
                left -= stat.st_size
                with suppress(OSError):
                    path.parent.rmdir()

    def _place(self, project_id: UUID, target: str) -> Path:
        return self._root / str(project_id) / target
