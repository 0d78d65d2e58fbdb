"""Sockets and event streams outlive the silence that ends an ordinary request."""

import time

import msgspec
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from fleet.gateway_testing import Edge

pytestmark = pytest.mark.integration

DOCUMENT = "/collab/v1/documents/0190a000-0000-7000-8000-00000000000c/src/main.ts"


def _connected(
    edge: Edge, path: str, origin: str | None, headers: dict[str, str] | None = None
) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{edge.values.listen_port}{path}",
        origin=Origin(origin) if origin is not None else None,
        additional_headers=headers,
        compression=None,
        proxy=None,
    )


@pytest.mark.parametrize("origin", [None, "http://localhost:5173", "https://x.editor.example"])
def test_a_socket_opens_for_editors_and_programs(edge: Edge, origin: str | None) -> None:
    forged = {"x-user-id": "mallory", "x-fleet-secret": "guess"}
    with _connected(edge, f"{DOCUMENT}?ticket=t", origin, forged) as socket:
        told = msgspec.json.decode(socket.recv())
        headers = dict(told["headers"])
        assert (told["cluster"], told["path"]) == ("collab_sockets", DOCUMENT)
        assert told["query"] == "ticket=t"
        assert "x-user-id" not in headers
        assert headers["x-fleet-secret"] == "the-fleets-own-secret"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost:5173.evil.example"]
)
def test_a_foreign_sites_socket_does_not_open(edge: Edge, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        _connected(edge, DOCUMENT, origin)
    response = refused.value.response
    assert response.status_code == 403
    assert msgspec.json.decode(response.body or b"")["error"]["code"] == "FORBIDDEN"


def test_a_socket_opens_nowhere_else(edge: Edge, bearer: dict[str, str]) -> None:
    for path in ("/api/v1/projects", "/play/x"):
        with pytest.raises(InvalidStatus) as refused:
            _connected(edge, path, None, bearer)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"x-request-id": "odd one"}])
def test_a_quiet_socket_stays_open_and_carries_more_than_a_body_may(
    edge: Edge, headers: dict[str, str]
) -> None:
    with _connected(edge, DOCUMENT, None, headers) as socket:
        socket.recv()
        # longer than an ordinary stream of this gateway may be silent
        time.sleep(edge.values.timeouts.idle * 1.5)
        frame = b"x" * (256 << 10)
        for _ in range(8):
            socket.send(frame)
            assert socket.recv() == str(len(frame))


@pytest.mark.parametrize("path", ["/api/v1/builds/1/logs", "/api/builds/1/logs"])
def test_a_log_stream_survives_silence(edge: Edge, bearer: dict[str, str], path: str) -> None:
    silence = edge.values.timeouts.default * 1.5
    answer = edge.ask("GET", f"{path}?silence={silence}", bearer)
    assert answer.body == b"data: first\n\ndata: second\n\n"
    assert answer.header("content-encoding") == ""


def test_a_long_poll_may_wait(edge: Edge, bearer: dict[str, str]) -> None:
    seconds = edge.values.timeouts.default * 1.5
    assert edge.ask("GET", f"/api/v1/builds/1?sleep={seconds}", bearer).status == 200
