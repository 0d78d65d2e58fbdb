"""Start a process, wait until it answers, and stop it whatever happens."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from fleet.processes import Process, guarded

ANSWERS_WITHIN_S = 30.0
STOPS_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.05
_LOG_LINES = 20


class StartError(Exception):
    """Something that the benchmark needs did not start; the message has the end of its log."""


@contextmanager
def running(process: Process, log: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the context lasts; it dies with the benchmark in any case."""
    with (
        log.open("wb") as file,
        subprocess.Popen(
            guarded(process),
            env=process.environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        try:
            yield child
        finally:
            stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and end it if it does not."""
    child.terminate()
    try:
        child.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def answers(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until the child answers HTTP, whatever it says."""
    give_up_at = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < give_up_at:
        if child.poll() is not None:
            raise StartError(f"It ended with {child.returncode}:\n{tail(log)}")
        try:
            httpx.get(url, timeout=1.0)
        except httpx.TransportError:
            time.sleep(_LOOK_EVERY_S)
        else:
            return
    raise StartError(f"{url} does not answer:\n{tail(log)}")


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])
