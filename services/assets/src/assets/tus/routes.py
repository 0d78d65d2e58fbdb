"""The HTTP face of resumable uploads: TUS 1.0, as its clients have it."""

from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID

from litestar import HttpMethod, Request, Response, Router, delete, head, patch, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath
from litestar.types import ExceptionHandlersMap

from assets.errors import ProtocolVersionError
from assets.means import Means
from assets.tus import service, types
from assets.tus.types import Resumable
from common import errors
from common.caller import Caller, needs
from common.errors import InvalidError, ServiceError, UnsupportedMediaTypeError

_BASE = "/api/v1/assets/tus"
_UPLOAD = needs("assets:write", rate="upload")
_SEND = needs("assets:write", rate="upload", takes_bytes=True)
_SPOKEN = {"tus-resumable": types.VERSION}
AnyRequest = Request[object, object, State]


@route("/", http_method=HttpMethod.OPTIONS, status_code=204, opt=needs(None, anonymous=True))
async def offer(means: NamedDependency[Means]) -> Response[None]:
    """Say what of the protocol is spoken here."""
    headers = _SPOKEN | {
        "tus-version": types.VERSION,
        "tus-extension": types.EXTENSIONS,
        "tus-max-size": str(means.settings.large_bytes_max),
        "tus-checksum-algorithm": ",".join(types.ALGORITHMS),
    }
    return Response(None, status_code=204, headers=headers)


@post("/", opt=_SEND, request_max_body_size=None)
async def begin(
    request: AnyRequest, means: NamedDependency[Means], caller: NamedDependency[Caller]
) -> Response[None]:
    """Begin a resumable upload (TUS 1.0): ``Upload-Length``, ``Upload-Metadata``.

    The metadata are ``projectId``, ``filename`` and, if wanted, ``filetype`` and ``sha256``. The
    first bytes may come along (``creation-with-upload``).
    """
    _demand_version(request)
    if "upload-defer-length" in request.headers:
        raise InvalidError.of("Upload-Defer-Length", "The length has to be known.")
    size = types.number("Upload-Length", request.headers.get("upload-length"))
    said = types.said(request.headers.get("upload-metadata", ""))
    checksum = types.checksum(request.headers.get("upload-checksum"))
    upload = await service.begin(means, caller, size, said)
    if request.content_type[0] == types.BYTES_TYPE:
        try:
            upload = await service.send(
                means,
                caller,
                upload.id,
                0,
                _body(request),
                length=request.content_length,
                checksum=checksum,
            )
        except ServiceError as exc:
            # it was begun all the same, and may be gone on with or ended
            exc.headers["location"] = f"{_BASE}/{upload.id}"
            raise
    headers = _state(upload) | {"location": f"{_BASE}/{upload.id}"}
    return Response(None, status_code=201, headers=headers)


@head("/{upload_id:uuid}", opt=needs("assets:write"))
async def show(
    request: AnyRequest,
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    upload_id: FromPath[UUID],
) -> Response[None]:
    """Say how far an upload is: ``Upload-Offset`` bytes are safe.

    ``Asset-Id`` names the asset that it became.
    """
    _demand_version(request)
    upload = await service.show(means, caller, upload_id)
    return Response(
        None,
        headers=_state(upload)
        | {"cache-control": "no-store", "upload-metadata": types.written(upload)},
    )


@patch("/{upload_id:uuid}", opt=_SEND, status_code=204, request_max_body_size=None)
async def send(
    request: AnyRequest,
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    upload_id: FromPath[UUID],
) -> Response[None]:
    """Go on with an upload at ``Upload-Offset``; what arrives of a request that breaks off is kept.

    The request with the last byte is answered when the file is an asset, which ``Asset-Id`` names,
    or was refused: then the upload is gone.
    """
    _demand_version(request)
    if request.content_type[0] != types.BYTES_TYPE:
        raise UnsupportedMediaTypeError(
            f"Send {types.BYTES_TYPE}.", {"field": "Content-Type", "accepts": types.BYTES_TYPE}
        )
    upload = await service.send(
        means,
        caller,
        upload_id,
        types.number("Upload-Offset", request.headers.get("upload-offset")),
        _body(request),
        length=request.content_length,
        checksum=types.checksum(request.headers.get("upload-checksum")),
    )
    return Response(None, status_code=204, headers=_state(upload))


@delete("/{upload_id:uuid}", opt=_UPLOAD)
async def terminate(
    request: AnyRequest,
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    upload_id: FromPath[UUID],
) -> Response[None]:
    """End an upload; nothing of it stays."""
    _demand_version(request)
    await service.terminate(means, caller, upload_id)
    return Response(None, status_code=204, headers=_SPOKEN)


def _demand_version(request: AnyRequest) -> None:
    if request.headers.get("tus-resumable") != types.VERSION:
        raise ProtocolVersionError(
            "Speak TUS 1.0.0.",
            {"field": "Tus-Resumable", "accepts": types.VERSION},
            headers={"tus-version": types.VERSION},
        )


def _state(upload: Resumable) -> dict[str, str]:
    headers = _SPOKEN | {
        "upload-offset": str(upload.received),
        "upload-length": str(upload.size),
    }
    if upload.asset_id is None:
        return headers | {"upload-expires": types.date(upload.expires_at)}
    return headers | {"asset-id": str(upload.asset_id)}


async def _body(request: AnyRequest) -> AsyncGenerator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except InternalServerException as exc:
        # the framework's word for a caller who went away, who will not read this either
        raise InvalidError.of("", "The body broke off.") from exc


def _spoken(handler: Callable[..., Response[bytes]]) -> Callable[..., Response[bytes]]:
    """Let what fails say as well which version is spoken."""

    def handle(request: AnyRequest, exc: Any) -> Response[bytes]:  # noqa: ANN401 - whichever it is for
        answer = handler(request, exc)
        answer.headers.update(_SPOKEN)
        return answer

    return handle


_HANDLERS: ExceptionHandlersMap = {
    kind: _spoken(handler) for kind, handler in errors.HANDLERS.items()
}
router = Router(
    _BASE,
    route_handlers=[offer, begin, show, send, terminate],
    exception_handlers=_HANDLERS,
    tags=["Assets"],
)
