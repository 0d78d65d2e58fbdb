"""Ask a gateway exactly what is written: for tests, where a polite client would tidy up."""

import contextlib
import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fleet.gateway_values import GatewayValues
from fleet.ports import LOOPBACK

PATIENCE_S = 20.0

type Pairs = list[tuple[str, str]]


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's values; nothing where it is not there."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    def json(self) -> Any:  # noqa: ANN401 - a test knows what it expects
        """Decode the body."""
        return msgspec.json.decode(self.body)

    def code(self) -> str:
        """Return the error's code, of an answer in the envelope."""
        body = self.json()
        assert body["success"] is False  # noqa: S101 - says in a test what is wrong with an answer
        return str(body["error"]["code"])

    def seen(self, name: str) -> str | None:
        """Return a header as the stand-in for a service saw it."""
        found: dict[str, str] = dict(self.json()["headers"])
        return found.get(name)


class Edge(msgspec.Struct, frozen=True):
    """A running gateway, and its values."""

    values: GatewayValues
    folder: Path

    def ask(
        self,
        method: str,
        path: str,
        headers: Pairs | dict[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> Answer:
        """Send a request as it is, and read the whole answer."""
        port = self.values.listen_port
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
        pairs = list(headers.items()) if isinstance(headers, dict) else headers or []
        with contextlib.closing(connection):
            has_host = any(name.lower() == "host" for name, _ in pairs)
            connection.putrequest(method, path, skip_host=has_host, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            _send(connection, body)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())

    def at(self, port: int) -> "Edge":
        """Return the same gateway, asked at another of its ports."""
        return Edge(msgspec.structs.replace(self.values, listen_port=port), self.folder)

    def play(self, method: str, path: str, headers: Pairs | dict[str, str] | None = None) -> Answer:
        """Send a request to the host of games."""
        pairs = list(headers.items()) if isinstance(headers, dict) else headers or []
        place = urlsplit(self.values.play_origin).netloc
        return self.ask(method, path, [("host", place), *pairs])


def _send(connection: http.client.HTTPConnection, body: bytes | Iterator[bytes] | None) -> None:
    if isinstance(body, bytes):
        connection.putheader("content-length", str(len(body)))
    elif body is not None:
        connection.putheader("transfer-encoding", "chunked")
    # a refusal may come before the whole body has gone
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        chunked = body is not None and not isinstance(body, bytes)
        connection.endheaders(body, encode_chunked=chunked)
