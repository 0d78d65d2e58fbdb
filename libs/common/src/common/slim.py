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
from litestar.response.base import ASGIResponse
from litestar.types import Scope

from common import answers, faults
from common.database import Database
from common.errors import InvalidError, PayloadTooLargeError

_JSON = [(b"content-type", b"application/json")]


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


def json(
    data: bytes, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> ASGIResponse:
    """Answer with encoded data in the envelope."""
    return ASGIResponse(
        body=answers.wrap(data), status_code=status, encoded_headers=[*_JSON, *headers]
    )


def empty(status: int, headers: tuple[tuple[bytes, bytes], ...] = ()) -> ASGIResponse:
    """Answer without a body (204, 304)."""
    return ASGIResponse(
        body=b"", status_code=status, encoded_headers=headers, is_head_response=False
    )


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
