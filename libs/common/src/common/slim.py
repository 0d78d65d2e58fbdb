"""Hot routes: a handler that takes the scope and returns bytes, without a signature to satisfy.

It stays an ordinary Litestar route, with its path, documents, errors and middleware; it pays no
dependency injection and no serialisation.
"""

from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import HTTPResponseStartEvent, Receive, Scope, Send

from common import answers, faults
from common.database import Database
from common.errors import InvalidError, PayloadTooLargeError

_JSON = ((b"content-type", b"application/json"),)


def database_of(scope: Scope) -> Database:
    """The service's database."""
    db: Database = scope["litestar_app"].state.db
    return db


def path_uuid(scope: Scope, name: str) -> UUID:
    """A path parameter that the route declares as ``uuid``."""
    return cast("UUID", scope["path_params"][name])


def documented(data: type[Any], *, status: int = 200, description: str = "") -> dict[int, Any]:
    """The ``responses=`` of a slim route that answers with ``data`` in the envelope."""
    envelope: Any = answers.Answer[data]  # type: ignore[valid-type]  # a type made at run time
    return {status: ResponseSpec(envelope, generate_examples=False, description=description)}


type Headers = tuple[tuple[bytes, bytes], ...]


class Reply:
    """A whole answer that is bytes already: an ASGI application of two messages."""

    __slots__ = ("body", "headers", "status_code")

    def __init__(self, body: bytes, status_code: int, headers: Headers) -> None:
        self.body = body
        self.status_code = status_code
        self.headers = headers

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send it; a ``HEAD`` gets no body."""
        length = (b"content-length", str(len(self.body)).encode())
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": [*self.headers, length],
        }
        await send(start)
        body = b"" if scope.get("method") == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body, "more_body": False})


def json(data: bytes, *, status: int = 200, headers: Headers = ()) -> Reply:
    """Answer with encoded data in the envelope."""
    return Reply(answers.wrap(data), status, (*_JSON, *headers))


def empty(status: int, headers: Headers = ()) -> Reply:
    """Answer without a body (304, 416)."""
    return Reply(b"", status, headers)


async def body(request: Request[object, object, State], limit: int) -> bytes:
    """Read the request's body; raises ``PayloadTooLargeError`` above ``limit`` bytes."""
    read = bytearray()
    async for piece in request.stream():
        read += piece
        if len(read) > limit:
            raise PayloadTooLargeError("The body is too large.", {"limit": limit})
    return bytes(read)


def decoded[T: msgspec.Struct](raw: bytes, into: type[T]) -> T:
    """Decode a JSON body; raises ``InvalidError`` with each of its faults."""
    try:
        return msgspec.json.decode(raw, type=into)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        details = faults.in_body(raw, into) or [{"field": "", "message": str(exc)}]
        raise InvalidError("The request is not valid.", *details) from exc
