"""Show what the processes write."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fleet.home import Home

LINES = 50
PAUSE_S = 0.2


def show(home: Home, name: str, *, follow: bool) -> None:
    """Print the end of one log, or of all of them with their names before each line."""
    paths = [home.log(name)] if name else sorted(home.logs.glob("*.log"))
    width = max((len(path.stem) for path in paths), default=0)
    ends: dict[Path, int] = {}
    for path in paths:
        ends[path] = path.stat().st_size
        for line in _last(path):
            _print(path, line, 0 if name else width)
    while follow:
        for path in paths:
            for line in _more(path, ends):
                _print(path, line, 0 if name else width)
        sys.stdout.flush()
        time.sleep(PAUSE_S)


def _last(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES:]


def _more(path: Path, ends: dict[Path, int]) -> Iterator[str]:
    size = path.stat().st_size if path.exists() else 0
    # a log that has become shorter is a new one
    begin = ends[path] if size >= ends[path] else 0
    if size == begin:
        return
    with path.open("rb") as file:
        file.seek(begin)
        chunk = file.read()
    whole = chunk.rpartition(b"\n")[0]
    ends[path] = begin + len(whole) + 1 if whole else begin
    yield from whole.decode(errors="replace").splitlines()


def _print(path: Path, line: str, width: int) -> None:
    prefix = f"{path.stem:<{width}} | " if width else ""
    sys.stdout.write(f"{prefix}{line}\n")
