"""Show what the processes write."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fleet.home import Home

LINES = 50
PAUSE_S = 0.2
TROUBLES_MAX = 60


class Line(msgspec.Struct):
    """What every process of ours writes in each of its lines."""

    at: datetime = datetime.min.replace(tzinfo=UTC)
    level: str = ""


def troubles(home: Home, since: datetime) -> list[str]:
    """Return the warnings and worse of all processes since then, in order of time, the last 60."""
    found: list[tuple[datetime, str]] = []
    decoder = msgspec.json.Decoder(Line)
    for path in home.logs.glob("*.log"):
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            # the servers' own logs are no JSON
            with suppress(msgspec.MsgspecError):
                line = decoder.decode(text)
                if line.at >= since and line.level in {"warning", "error", "critical"}:
                    found.append((line.at, f"{path.stem} | {text}"))
    return [text for _, text in sorted(found)[-TROUBLES_MAX:]]


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
