"""The few calls that a worker makes to a cluster's API."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from builds.sandbox.types import UnavailableSandboxError

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_CALL = aiohttp.ClientTimeout(total=15.0)
_GONE = 404
_REFUSED = 400
_MESSAGE_BYTES_MAX = 16 << 20


class Channel(IntEnum):
    """What a message of an attached connection belongs to: its first byte."""

    INPUT = 0
    OUTPUT = 1
    LOG = 2


class Terminated(Struct, frozen=True, rename="camel"):
    """How a container ended."""

    exit_code: int
    reason: str = ""


class Waiting(Struct, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class State(Struct, frozen=True):
    """One of these, and which."""

    waiting: Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: Terminated | None = None


class ContainerStatus(Struct, frozen=True):
    """A container of a pod."""

    state: State


class PodStatus(Struct, frozen=True, rename="camel"):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    container_statuses: list[ContainerStatus] = []

    @property
    def state(self) -> State:
        """That of its only container."""
        return self.container_statuses[0].state if self.container_statuses else State()


class Metadata(Struct, frozen=True):
    """What a pod is called."""

    name: str


class Pod(Struct, frozen=True):
    """What of a pod is looked at."""

    metadata: Metadata
    status: PodStatus = PodStatus()


class _Pods(Struct, frozen=True):
    items: list[Pod]


class Account(Struct, frozen=True):
    """Who a worker is to the cluster, and where the API is."""

    api: str
    namespace: str
    folder: Path


class Cluster:
    """Connections to the API, each call in the name of the worker's account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create(self, job: dict[str, Any]) -> None:
        """Make a job."""
        async with self._session() as session:
            await _said(await session.post(self._path("jobs"), data=msgspec.json.encode(job)))

    async def delete(self, name: str) -> None:
        """Remove a job and its pod, at once."""
        options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
        async with self._session() as session:
            url, data = self._path("jobs", name), msgspec.json.encode(options)
            answer = await session.delete(url, data=data)
            if answer.status != _GONE:
                await _said(answer)

    async def pod(self, job: str) -> Pod | None:
        """The pod of a job, once there is one."""
        async with self._session() as session:
            query = {"labelSelector": f"job-name={job}"}
            answer = await session.get(self._path("pods"), params=query)
            pods = msgspec.json.decode(await _said(answer), type=_Pods).items
        return pods[0] if pods else None

    async def kill(self, pod: str) -> None:
        """Remove a pod without a moment's grace."""
        async with self._session() as session:
            url, data = self._path("pods", pod), msgspec.json.encode({"gracePeriodSeconds": 0})
            answer = await session.delete(url, data=data)
            if answer.status != _GONE:
                await _said(answer)

    @asynccontextmanager
    async def attach(self, pod: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Connect to the streams of a pod's only container."""
        query = {"container": "tool", "stdin": "true", "stdout": "true", "stderr": "true"}
        async with (
            self._session() as session,
            session.ws_connect(
                f"{self._path('pods', pod)}/attach",
                params=query,
                protocols=_PROTOCOLS,
                max_msg_size=_MESSAGE_BYTES_MAX,
            ) as socket,
        ):
            yield socket

    def _path(self, kind: str, name: str = "") -> str:
        group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
        path = f"{self._account.api}{group}/namespaces/{self._account.namespace}/{kind}"
        return f"{path}/{name}" if name else path

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        # the cluster changes the token now and then
        headers = {
            "authorization": f"Bearer {self._read('token')}",
            "content-type": "application/json",
        }
        certificate = self._account.folder / "ca.crt"
        trust = ssl.create_default_context(cafile=certificate) if certificate.exists() else True
        connector = aiohttp.TCPConnector(ssl=trust)
        try:
            async with aiohttp.ClientSession(
                connector=connector, headers=headers, timeout=_CALL
            ) as session:
                yield session
        except aiohttp.ClientError as exc:
            raise UnavailableSandboxError(f"The cluster's API does not answer: {exc}") from exc

    def _read(self, name: str) -> str:
        try:
            return (self._account.folder / name).read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise UnavailableSandboxError(f"There is no account of the cluster: {exc}") from exc


async def _said(answer: aiohttp.ClientResponse) -> bytes:
    body = await answer.read()
    if answer.status >= _REFUSED:
        text = body.decode(errors="replace")[:500]
        raise UnavailableSandboxError(f"The cluster's API refused ({answer.status}): {text}")
    return body
