"""How files come in over HTTP: a multipart form, read as it comes."""

from collections.abc import AsyncGenerator

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import InternalServerException
from litestar.openapi.spec import OpenAPIMediaType, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from assets.settings import Settings
from assets.uploads import form
from common.errors import InvalidError, PayloadTooLargeError, UnsupportedMediaTypeError

FILE = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
AnyRequest = Request[object, object, State]
_ENVELOPE_BYTES = 65_536


def multipart(**properties: Schema | Reference) -> RequestBody:
    """Document a form: the handler reads it itself."""
    required = [name for name in properties if name not in {"name", "type"}]
    schema = Schema(type=OpenAPIType.OBJECT, properties=properties, required=required)
    return RequestBody({"multipart/form-data": OpenAPIMediaType(schema)}, required=True)


def limits_of_one(settings: Settings) -> form.Limits:
    """How much a form of one file may hold."""
    return limits(settings, 1, settings.asset_bytes_max + _ENVELOPE_BYTES)


def limits(settings: Settings, files_max: int, total_bytes_max: int) -> form.Limits:
    """How much a form may hold."""
    return form.Limits(
        files_max=files_max,
        file_bytes_max=settings.asset_bytes_max,
        total_bytes_max=total_bytes_max,
        field_bytes_max=settings.field_bytes_max,
        spool_bytes_max=settings.spool_bytes_max,
    )


async def body(request: AnyRequest) -> AsyncGenerator[bytes]:
    """Read a body piece by piece; raises ``InvalidError`` where it breaks off."""
    try:
        async for piece in request.stream():
            yield piece
    except InternalServerException as exc:
        # the framework's word for a caller who went away, who will not read this either
        raise InvalidError.of("", "The body broke off.") from exc


def boundary(request: AnyRequest, limit: int) -> str:
    """Return the form's boundary; refuse what is no form, or says itself that it is too large."""
    media_type, options = request.content_type
    if media_type != "multipart/form-data" or not options.get("boundary"):
        raise UnsupportedMediaTypeError(
            "Send a multipart form.", {"field": "", "accepts": "multipart/form-data"}
        )
    length = request.content_length
    if length is not None and length > limit:
        raise PayloadTooLargeError("The request is too large.", {"limit": limit})
    return options["boundary"]
