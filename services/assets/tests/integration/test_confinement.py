"""What is left to a process that looks into a stranger's file: nothing but what it holds."""

import asyncio
import sys

import pytest

_PROGRAM = """
import os, socket, sys
from assets.studio import confinement
from assets.studio.messages import Limits

limits = Limits(
    memory_bytes=64 << 20, cpu_s=5, wall_s=5, file_bytes=1000, pixels_max=1, duration_ms_max=1
)
held = open("/dev/null", "r+b", buffering=0)
assert confinement.confine(limits)
attempts = {
    "hold": lambda: held.write(b"x"),
    "compute": lambda: bytearray(1 << 20),
    "open": lambda: open("/etc/hostname"),
    "secrets": lambda: open(f"/proc/{os.getppid()}/environ"),
    "write": lambda: open("/tmp/out", "w"),
    "list": lambda: os.listdir("/"),
    "remove": lambda: os.unlink("/tmp/none"),
    "call": lambda: socket.socket(),
    "pair": lambda: socket.socketpair(),
    "start": lambda: os.fork(),
    "become": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(1, 9),
    "leave": lambda: os.setsid(),
    "grow": lambda: bytearray(1 << 30),
}
try:
    attempts[sys.argv[1]]()
except (OSError, MemoryError) as exc:
    os.write(1, type(exc).__name__.encode())
else:
    os.write(1, b"done")
os._exit(0)
"""


async def attempted(what):
    """What comes of an attempt."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, what), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode()


@pytest.mark.parametrize("what", ["hold", "compute"])
async def test_it_may_work_on_what_it_holds(what):
    assert await attempted(what) == "done"


@pytest.mark.parametrize(
    "what",
    [
        *("open", "secrets", "write", "list", "remove", "call", "pair", "start", "become", "kill"),
        "leave",
    ],
)
async def test_it_may_do_nothing_else(what):
    assert await attempted(what) == "PermissionError"


async def test_it_grows_no_further_than_it_may():
    assert await attempted("grow") == "MemoryError"
