"""A service as its own process, and what stands for auth where tests must forge its tokens."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from common.ids import uuid7
from common.testing.processes import die_with_parent
from fleet.ports import LOOPBACK

READY_S = 60.0


class Process:
    """One service of the fleet, as its own process."""

    def __init__(self, module: tuple[str, ...], env: dict[str, str]) -> None:
        self.env = env
        self._command = [sys.executable, "-m", *module]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its HTTP routes are."""
        return f"http://{LOOPBACK}:{self.env['PORT']}"

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        # a test run that is killed must leave nothing behind
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - ours, and not waited for
            self._command,
            env=self.env,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads are running yet
        )
        async with httpx.AsyncClient() as client:
            deadline = time.monotonic() + READY_S
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    if (await client.get(f"{self.url}/health/ready")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError("The service did not become ready.")

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it, and return what it ended with."""
        assert self._process is not None
        self._process.send_signal(number)
        return await asyncio.to_thread(self._process.wait)


class Auth:
    """Stands where auth stands: keys, tickets and accounts, as its contract has them."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
        self.tickets: dict[str, UUID] = {}
        self.fetches = 0
        self.over: set[str] = set()
        self.knows_sessions = True
        self.url = ""

    async def start(self) -> asyncio.Server:
        """Begin to answer."""
        server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = [x for x in head.split("\r\n") if x.startswith("content-length:")]
        body = await reader.readexactly(int(length[0].split(":")[1])) if length else b""
        path = head.split(" ")[1]
        found = self._answer(path, body)
        content = msgspec.json.encode(found)
        status = "404 Not Found" if found is None else "200 OK"
        top = f"HTTP/1.1 {status}\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
        writer.write(top.encode() + content)
        await writer.drain()
        writer.close()

    def _answer(self, path: str, body: bytes) -> dict[str, Any] | None:
        if path.startswith("/.well-known/jwks.json"):
            self.fetches += 1
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/internal/ws-tickets/redeem":
            user = self.tickets.pop(msgspec.json.decode(body)["ticket"], None)
            if user is None:
                return None
            return {"userId": user, "sessionId": str(uuid7()), "role": "user"}
        if path.startswith("/internal/sessions/") and self.knows_sessions:
            return {"isLive": path.rpartition("/")[2] not in self.over}
        if path.startswith("/internal/accounts"):
            login = path.split("login=")[1]
            return {"userId": login, "username": "somebody", "displayName": "Somebody"}
        return None

    def token(self, user: UUID, *, key: ECKey | None = None, typ: str = "at+jwt", **claims: Any):
        """An access token; ``claims`` differ from what auth would write."""
        facts = {
            "iss": "worldloom",
            "aud": "worldloom",
            "sub": str(user),
            "sid": str(uuid7()),
            "role": "user",
            "exp": int(time.time()) + 600,
        }
        key = key or self.key
        header = {"alg": "ES256", "kid": key.kid, "typ": typ}
        return jwt.encode(header, {**facts, **claims}, key)

    def ticket(self, user: UUID) -> str:
        """A ticket that is good once."""
        name = str(uuid7())
        self.tickets[name] = user
        return name


@pytest.fixture(scope="session")
def process() -> type[Process]:
    """What runs one more service."""
    return Process


@pytest.fixture(scope="session")
def stand_in() -> type[Auth]:
    """What stands for auth."""
    return Auth


@pytest.fixture(scope="session")
async def node() -> str:
    """Node, with what the lock of ``npm`` names."""
    found, npm = shutil.which("node"), shutil.which("npm")
    assert found is not None
    assert npm is not None
    here = Path(__file__).parent / "npm"
    if not (here / "node_modules").exists():
        installing = await asyncio.create_subprocess_exec(npm, "ci", cwd=here)
        assert await installing.wait() == 0
    return found
