"""Folders for files that are worked on: each process clears away what the dead ones have left."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

_NAME = re.compile(r"studio-([0-9]+-[0-9]+)-.+")
# the twenty-second field, where the third is the first
_BEGAN = 22 - 3


class Bench:
    """A folder of its own for one file and what is made of it."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.target = folder / "target"


@asynccontextmanager
async def bench(file: IO[bytes] | None = None) -> AsyncGenerator[Bench]:
    """Lay a copy of ``file`` on a bench of its own, and clear it away afterwards."""
    folder = Path(await asyncio.to_thread(mkdtemp, prefix=f"studio-{_life(os.getpid())}-"))
    place = Bench(folder)
    try:
        if file is not None:
            await asyncio.to_thread(_copy, file, place.source)
        yield place
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _copy(file: IO[bytes], to: Path) -> None:
    file.seek(0)
    with to.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)


def clear() -> None:
    """Remove the benches of processes that are no more."""
    for folder in Path(gettempdir()).glob("studio-*"):
        found = _NAME.fullmatch(folder.name)
        if found and found[1] != _life(int(found[1].partition("-")[0])):
            shutil.rmtree(folder, ignore_errors=True)


def _life(pid: int) -> str:
    """What no other process is called: its number, and when it began (``proc_pid_stat(5)``)."""
    try:
        # the name of the program may have spaces and brackets in it
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{pid}-{fields[_BEGAN]}"
