"""Bodies that need not be sent."""

import msgspec
from litestar import MediaType, Request
from litestar.datastructures import State

from common import slim
from common.errors import UnsupportedMediaTypeError


async def sent[T: msgspec.Struct](
    request: Request[object, object, State], limit: int, into: type[T]
) -> T:
    """Return the JSON body; an empty one is one without members.

    Raises ``InvalidError``, ``PayloadTooLargeError`` and ``UnsupportedMediaTypeError``.
    """
    body = await slim.body(request, limit)
    if not body.strip():
        return into()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MediaType.JSON:
        raise UnsupportedMediaTypeError("Send application/json.")
    return slim.decoded(body, into)
