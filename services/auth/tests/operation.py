"""What an operator does, as a process of its own: as it is done in earnest."""

import asyncio
import sys
from collections.abc import Mapping

import msgspec


class Done(msgspec.Struct, frozen=True):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


async def operate(told: Mapping[str, str], *arguments: str, typed: str = "", **other: str) -> Done:
    """Run ``python -m auth`` with the service's settings, and some others."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "auth",
        *arguments,
        env={**told, **other},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(typed.encode())
    return Done(process.returncode or 0, out.decode(), err.decode())
