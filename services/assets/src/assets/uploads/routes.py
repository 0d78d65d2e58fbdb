"""The HTTP face of uploads through the service."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from assets.means import Means
from assets.settings import Settings
from assets.types import Asset, Kind, shown
from assets.uploads import form, service
from assets.uploads.schema import Item
from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.errors import InvalidError, PayloadTooLargeError, UnsupportedMediaTypeError

_BASE = "/api/v1/assets"
_UPLOAD = needs("assets:write", rate="upload")
_ENVELOPE_BYTES = 65_536
AnyRequest = Request[object, object, State]

_FILE = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
_PROJECT = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID)
_KIND = Schema(type=OpenAPIType.STRING, enum=["image", "audio", "font", "model", "video", "data"])


def _multipart(**properties: Schema | Reference) -> RequestBody:
    required = [name for name in properties if name not in {"name", "type"}]
    schema = Schema(type=OpenAPIType.OBJECT, properties=properties, required=required)
    return RequestBody({"multipart/form-data": OpenAPIMediaType(schema)}, required=True)


@dataclass
class _UploadOperation(Operation):
    """Documents the form of one file."""

    def __post_init__(self) -> None:
        """Say what the body is: the handler reads it itself."""
        self.request_body = _multipart(
            projectId=_PROJECT, file=_FILE, name=Schema(type=OpenAPIType.STRING), type=_KIND
        )


@dataclass
class _BatchOperation(Operation):
    """Documents the form of many files."""

    def __post_init__(self) -> None:
        """Say what the body is: the handler reads it itself."""
        self.request_body = _multipart(
            projectId=_PROJECT, files=Schema(type=OpenAPIType.ARRAY, items=_FILE)
        )


# the form reader counts every byte against the settings, so the framework need not
@post("/upload", opt=_UPLOAD, request_max_body_size=None, operation_class=_UploadOperation)
async def upload(
    request: AnyRequest, means: NamedDependency[Means], caller: NamedDependency[Caller]
) -> Response[Answer[Asset]]:
    """Upload one file as a multipart form: projectId, file, and optionally name and type.

    The same bytes under the same name answer 200 with the asset that is there; other bytes 409.
    """
    settings = means.settings
    limits = _limits(settings, 1, settings.asset_bytes_max + _ENVELOPE_BYTES)
    fields = frozenset({"projectId", "name", "type"})
    boundary = _boundary(request, limits.total_bytes_max)
    async with form.received(_body(request), boundary, "file", fields, limits) as given:
        if not given.files:
            raise InvalidError.of("file", "This is required.")
        outcome = await service.upload(
            means,
            caller,
            _project(given.fields),
            given.files[0],
            name=given.fields.get("name"),
            kind=_kind(given.fields),
        )
    asset = shown(outcome.asset, settings)
    headers = {"location": f"{_BASE}/{asset.id}", "etag": outcome.asset.etag}
    status = 201 if outcome.is_new else 200
    return Response(answers.answer(asset), status_code=status, headers=headers)


@post(
    "/batch-upload",
    opt=_UPLOAD,
    status_code=200,
    request_max_body_size=None,
    operation_class=_BatchOperation,
)
async def upload_batch(
    request: AnyRequest, means: NamedDependency[Means], caller: NamedDependency[Caller]
) -> Response[Answer[list[Item]]]:
    """Upload many files as a multipart form: projectId, files. Each has a result of its own."""
    settings = means.settings
    limits = _limits(settings, settings.batch_files_max, settings.batch_bytes_max)
    boundary = _boundary(request, limits.total_bytes_max)
    fields = frozenset({"projectId"})
    async with form.received(_body(request), boundary, "files", fields, limits) as given:
        if not given.files:
            raise InvalidError.of("files", "This is required.")
        items = await service.upload_batch(means, caller, _project(given.fields), given.files)
    return Response(answers.answer(items))


def _limits(settings: Settings, files_max: int, total_bytes_max: int) -> form.Limits:
    return form.Limits(
        files_max=files_max,
        file_bytes_max=settings.asset_bytes_max,
        total_bytes_max=total_bytes_max,
        field_bytes_max=settings.field_bytes_max,
        spool_bytes_max=settings.spool_bytes_max,
    )


async def _body(request: AnyRequest) -> AsyncGenerator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except InternalServerException as exc:
        # the framework's word for a caller who went away, who will not read this either
        raise InvalidError.of("", "The body broke off.") from exc


def _boundary(request: AnyRequest, limit: int) -> str:
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


def _project(fields: dict[str, str]) -> UUID:
    try:
        return UUID(fields["projectId"])
    except KeyError as exc:
        raise InvalidError.of("projectId", "This is required.") from exc
    except ValueError as exc:
        raise InvalidError.of("projectId", "This is no UUID.") from exc


def _kind(fields: dict[str, str]) -> Kind | None:
    if not fields.get("type"):
        return None
    try:
        kind: Kind = msgspec.convert(fields["type"], Kind)
    except msgspec.ValidationError as exc:
        raise InvalidError.of("type", str(exc)) from exc
    return kind


router = Router(_BASE, route_handlers=[upload, upload_batch], tags=["Assets"])
