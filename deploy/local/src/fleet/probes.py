"""Ask a process whether it is ready; small and without a client library, for it is asked often."""

import asyncio
from collections.abc import Mapping

from fleet.ports import LOOPBACK
from fleet.processes import Probe

OK = 200


async def passes(probe: Probe, environment: Mapping[str, str]) -> bool:
    """Say whether the probe succeeds now; a probe of nothing always does."""
    try:
        if probe.command:
            return await _command(probe.command, environment)
        if probe.path:
            return await status("GET", probe.port, probe.path) == OK
        return not probe.port or await _accepts(probe.port)
    except (OSError, EOFError, ValueError, IndexError):
        return False


async def status(method: str, port: int, path: str) -> int:
    """Send one request to a port of this machine and return the status of its answer."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        head = f"{method} {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nContent-Length: 0\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode())
        await writer.drain()
        line = await reader.readline()
        return int(line.split()[1])
    finally:
        writer.close()


async def _accepts(port: int) -> bool:
    _, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.close()
    return True


async def _command(command: tuple[str, ...], environment: Mapping[str, str]) -> bool:
    quiet = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        *command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment
    )
    return await child.wait() == 0
