"""A cluster's API as far as a worker calls it; its pods are processes that really run."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import WSMsgType, web

from builds.sandbox import children

TOKEN = "a-token-of-the-worker"  # noqa: S105 - a double's
_PIECE = 65_536


class Api:
    """One namespace. ``waiting`` keeps pods from starting; ``ending`` is said of each end."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.all: list[dict[str, Any]] = []
        self.deleted: list[tuple[str, dict[str, Any]]] = []
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.waiting: dict[str, str] | None = None
        self.ending: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        self.refusal = 0

    def application(self, namespace: str) -> web.Application:
        """The server."""
        app = web.Application(middlewares=[self._admitted])
        batch = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        core = f"/api/v1/namespaces/{namespace}/pods"
        app.add_routes(
            [
                web.post(batch, self._create),
                web.delete(batch + "/{name}", self._delete),
                web.get(core, self._pods),
                web.delete(core + "/{name}", self._kill),
                web.get(core + "/{name}/attach", self._attach),
            ]
        )
        return app

    async def is_busy(self) -> bool:
        """Whether anything has been started."""
        return bool(self.processes)

    @web.middleware
    async def _admitted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        if self.refusal:
            return web.json_response({"message": "quota exceeded"}, status=self.refusal)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _create(self, request: web.Request) -> web.Response:
        job = await request.json()
        self.jobs[job["metadata"]["name"]] = job
        self.all.append(job)
        return web.json_response(job, status=201)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.deleted.append((name, await request.json()))
        if self.jobs.pop(name, None) is None:
            return web.json_response({"message": "not found"}, status=404)
        await self._end(name)
        return web.json_response({})

    async def _kill(self, request: web.Request) -> web.Response:
        await self._end(request.match_info["name"].removesuffix("-pod"))
        return web.json_response({})

    async def _end(self, name: str) -> None:
        process = self.processes.get(name)
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _pods(self, request: web.Request) -> web.Response:
        name = request.query["labelSelector"].removeprefix("job-name=")
        found = [self._pod(name)] if name in self.jobs else []
        return web.json_response({"kind": "PodList", "items": found})

    def _pod(self, name: str) -> dict[str, Any]:
        process = self.processes.get(name)
        state: dict[str, Any] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        if self.waiting is not None:
            state = {"waiting": self.waiting}
        elif process is not None and process.returncode is not None:
            state = {"terminated": {"exitCode": process.returncode, "reason": "Error"}}
            state["terminated"] |= self.ending
        status = {"phase": "Running", "containerStatuses": [{"name": "tool", "state": state}]}
        return {"metadata": {"name": f"{name}-pod"}, "status": status | self.status}

    async def _attach(self, request: web.Request) -> web.WebSocketResponse:
        name = request.match_info["name"].removesuffix("-pod")
        socket = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await socket.prepare(request)
        process = await _started(self.jobs[name]["spec"]["template"]["spec"])
        self.processes[name] = process
        talk: asyncio.Future[Any] = asyncio.gather(
            _told(process.stdout, 1, socket), _told(process.stderr, 2, socket), process.wait()
        )
        listening: asyncio.Future[Any] = asyncio.ensure_future(_heard(socket, process))
        await asyncio.wait({talk, listening}, return_when=asyncio.FIRST_COMPLETED)
        if talk.done():
            await socket.send_bytes(b'\x03{"status":"Success"}')
        listening.cancel()
        # whoever was attached is gone, and the input ends: what runs is to see to itself
        if process.stdin is not None:
            process.stdin.close()
        await asyncio.gather(talk, listening, return_exceptions=True)
        await socket.close()
        return socket


async def _started(pod: dict[str, Any]) -> asyncio.subprocess.Process:
    (container,) = pod["containers"]
    folders = [mount["mountPath"] for mount in container["volumeMounts"]]
    disks = [word for folder in folders for word in ("--tmpfs", folder)]
    bwrap, busybox = shutil.which("bwrap") or "", shutil.which("busybox") or ""
    return await asyncio.create_subprocess_exec(
        bwrap,
        *("--unshare-all", "--as-pid-1", "--die-with-parent", "--uid", "1000", "--gid", "1000"),
        *("--ro-bind", busybox, "/t/busybox", "--proc", "/proc", "--dev", "/dev", *disks),
        *("--", *container["command"]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/t"},
        start_new_session=True,
    )


async def _told(
    stream: asyncio.StreamReader | None, channel: int, socket: web.WebSocketResponse
) -> None:
    while stream is not None and (piece := await stream.read(_PIECE)):
        with suppress(ConnectionError):
            await socket.send_bytes(bytes([channel]) + piece)


async def _heard(socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY and message.data[0] == 0 and process.stdin is not None:
            with suppress(ConnectionError):
                process.stdin.write(message.data[1:])
                await process.stdin.drain()


@asynccontextmanager
async def served(api: Api, namespace: str) -> AsyncGenerator[str]:
    """Serve the API; the address."""
    runner = web.AppRunner(api.application(namespace))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        for process in api.processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()
        # where other tests have made us the parent of all orphans
        await children.gone({process.pid for process in api.processes.values()})
