"""The one error envelope, and the errors that a service may raise into it."""

from typing import Any, ClassVar, Literal

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, InternalServerException, ValidationException
from litestar.types import ExceptionHandlersMap

from common import exchange, faults

log = structlog.get_logger()

type Detail = dict[str, Any]


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """What went wrong, as the caller may know it."""

    code: str
    message: str
    details: list[Detail]
    request_id: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every response that is not a success."""

    success: Literal[False] = False
    error: Problem


class ProblemDetails(msgspec.Struct, frozen=True, rename="camel"):
    """The same as RFC 9457 has it, for who asks for ``application/problem+json``."""

    title: str
    status: int
    detail: str
    instance: str
    code: str
    details: list[Detail]
    request_id: str
    type: str = "about:blank"


class ServiceError(Exception):
    """An expected failure. A subclass fixes status and code; the message is for the caller."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(
        self, message: str, *details: Detail, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.details = list(details)
        self.headers = headers or {}


class InvalidError(ServiceError):
    """The request itself is wrong; each detail names a field."""

    status = 400
    code = "VALIDATION_ERROR"

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidError":
        """Name the one field that is wrong."""
        return cls("The request is not valid.", {"field": field, "message": message})


class CursorInvalidError(InvalidError):
    """The cursor is none that a feed gave out."""

    code = "CURSOR_INVALID"


class UnauthenticatedError(ServiceError):
    """Nobody is known to be calling."""

    status = 401
    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Say who you are.", *details: Detail) -> None:
        super().__init__(message, *details, headers={"www-authenticate": "Bearer"})


class ForbiddenError(ServiceError):
    """The caller may see the thing, and may not do this to it."""

    status = 403
    code = "FORBIDDEN"


class InsufficientScopeError(ForbiddenError):
    """The API key was not given the scope that this needs."""

    code = "INSUFFICIENT_SCOPE"


class NotFoundError(ServiceError):
    """The thing is not there, or the caller may not know that it is."""

    status = 404
    code = "NOT_FOUND"


class ConflictError(ServiceError):
    """The state of the thing does not allow this."""

    status = 409
    code = "CONFLICT"


class KeyReusedError(ConflictError):
    """The ``Idempotency-Key`` came before, with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class KeyInUseError(ConflictError):
    """The first request with this ``Idempotency-Key`` has not been answered yet."""

    code = "IDEMPOTENCY_KEY_IN_USE"


class PreconditionFailedError(ServiceError):
    """``If-Match`` or ``If-None-Match`` does not hold."""

    status = 412
    code = "PRECONDITION_FAILED"


class PayloadTooLargeError(ServiceError):
    """More bytes than the limit, which the details name."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaTypeError(ServiceError):
    """Bytes of a kind that is not taken here."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"


class UnavailableError(ServiceError):
    """Something that this needs does not answer now; it is worth trying again."""

    status = 503
    code = "UNAVAILABLE"

    def __init__(self, message: str = "Not available now, try again.", *, wait_s: int = 1) -> None:
        super().__init__(message, headers={"retry-after": str(wait_s)})


type AnyRequest = Request[object, object, State]

_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "UNAVAILABLE",
}
GONE_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # what the driver says between the server's last word and the end of the connection
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    # it starts, stops or crashes, or a statement took too long
    asyncpg.OperatorInterventionError,
    # nothing was done: others held what this needs
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
)
_UNSTORABLE = (
    UnicodeError,
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
)


def body(
    status: int, code: str, message: str, details: list[Detail], *, path: str, accept: str
) -> tuple[bytes, str]:
    """Encode a failure as ``accept`` wants it; returns the bytes and their media type."""
    now = exchange.current()
    request_id = now.request_id if now else ""
    if "application/problem+json" in accept:
        title = code.replace("_", " ").capitalize()
        problem = ProblemDetails(title, status, message, path, code, details, request_id)
        return msgspec.json.encode(problem), "application/problem+json"
    failure = Failure(error=Problem(code, message, details, request_id))
    return msgspec.json.encode(failure), "application/json"


def _respond(
    request: AnyRequest,
    status: int,
    code: str,
    message: str,
    details: list[Detail],
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    accept = request.headers.get("accept", "")
    content, media_type = body(status, code, message, details, path=request.url.path, accept=accept)
    return Response(content, status_code=status, headers=headers, media_type=media_type)


def on_service_error(request: AnyRequest, exc: ServiceError) -> Response[bytes]:
    """Render an expected failure."""
    return _respond(request, exc.status, exc.code, str(exc), exc.details, exc.headers)


def on_http_error(request: AnyRequest, exc: HTTPException) -> Response[bytes]:
    """Render what the framework refused: no such route or method, a body that does not fit."""
    status = exc.status_code
    # the framework takes a member that is called like a dependency for the dependency
    is_body = isinstance(exc, InternalServerException) and bool(faults.of_body(request))
    if is_body or isinstance(exc, ValidationException) or status == 400:  # noqa: PLR2004 - an HTTP status
        details = faults.of(request, exc)
        return _respond(request, 400, "VALIDATION_ERROR", "The request is not valid.", details)
    if status >= 500:  # noqa: PLR2004 - an HTTP status
        log.error("unhandled", path=request.url.path, exc_info=exc)
    code = _CODES.get(status, "VALIDATION_ERROR" if status < 500 else "INTERNAL_ERROR")  # noqa: PLR2004 - an HTTP status
    message = exc.detail if status < 500 else "Something went wrong."  # noqa: PLR2004 - an HTTP status
    headers = {k: v for k, v in (exc.headers or {}).items() if k.lower() == "allow"}
    return _respond(request, status, code, message, [], headers)


def on_gone_away(request: AnyRequest, exc: Exception) -> Response[bytes]:
    """Say that a dependency does not answer, and when to come back."""
    if isinstance(exc, ValueError):
        # asyncpg's own refusal of a value that does not fit its type
        return on_service_error(request, InvalidError.of("", "There is a value out of range."))
    log.warning("dependency_unavailable", path=request.url.path, error=repr(exc))
    return on_service_error(request, UnavailableError())


def on_unexpected(request: AnyRequest, exc: Exception) -> Response[bytes]:
    """Log everything, tell nothing."""
    if isinstance(exc, RecursionError):
        return on_service_error(request, InvalidError.of("", "The body is nested too deeply."))
    if isinstance(exc, _UNSTORABLE):
        return on_service_error(request, InvalidError.of("", "There is text that is not Unicode."))
    log.error("unhandled", path=request.url.path, exc_info=exc)
    return _respond(request, 500, "INTERNAL_ERROR", "Something went wrong.", [])


HANDLERS: ExceptionHandlersMap = {
    ServiceError: on_service_error,
    HTTPException: on_http_error,
    **dict.fromkeys(GONE_AWAY, on_gone_away),
    Exception: on_unexpected,
}
