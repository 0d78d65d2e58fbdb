"""A service as a process of its own: what is killed, frozen and started again in tests."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import httpx

from common.testing.apps import identity
from common.testing.waiting import until

_HOST = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_INHERITED = ("PATH", "HOME", "LANG", "PYTHONPATH")


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    return port


class Process:
    """One service: ``python -m common.serve <application>``."""

    def __init__(
        self, application: str, values: Mapping[str, str], log: Path | None = None
    ) -> None:
        # 0: any that is free
        self.port = int(values.get("PORT", "0")) or free_port()
        self.url = f"http://{_HOST}:{self.port}"
        self.secret = values["FLEET_SECRET"]
        self._command = [sys.executable, "-m", "common.serve", application]
        inherited = {n: v for n, v in os.environ.items() if n in _INHERITED}  # noqa: TID251 - what any program needs
        self._environment = {**inherited, **values, "HOST": _HOST, "PORT": str(self.port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.AsyncClient(base_url=self.url)

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        with (self._log or Path(os.devnull)).open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - it starts at once; ours
                self._command, env=self._environment, stdout=log
            )
        await until(self.is_ready)

    async def is_ready(self) -> bool:
        """Whether it wants requests."""
        try:
            return (await self.client.get("/health/ready")).is_success
        except httpx.HTTPError:
            return False

    async def call(
        self,
        method: str,
        path: str,
        user: UUID | None = None,
        /,
        *,
        sends: object = None,
        **headers: str,
    ) -> httpx.Response:
        """Call a route as ``user``, as the gateway would."""
        given = identity(self.secret, user, **headers)
        return await self.client.request(method, path, headers=given, json=sends)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and wait for its end."""
        if self._process is None:
            return 0
        self.send(number)
        ended = await asyncio.to_thread(self._process.wait)
        self._process = None
        return ended

    async def close(self) -> None:
        """Leave nothing of it behind."""
        await self.end(signal.SIGKILL)
        await self.client.aclose()


@asynccontextmanager
async def process(
    application: str, values: Mapping[str, str], log: Path | None = None
) -> AsyncGenerator[Process]:
    """Run a service as a process; what it logs goes to a file, or nowhere."""
    made = Process(application, values, log)
    try:
        await made.start()
        yield made
    finally:
        await made.close()


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Let the kernel stop this process when the one that started it is gone (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
