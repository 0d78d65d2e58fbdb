"""The HTTP face of uploads through the service."""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Operation, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from assets.means import Means
from assets.types import Asset, Kind, shown
from assets.uploads import form, receiving, service
from assets.uploads.schema import Item
from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.errors import InvalidError

_BASE = "/api/v1/assets"
_UPLOAD = needs("assets:write", rate="upload")

_PROJECT = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID)
_KIND = Schema(type=OpenAPIType.STRING, enum=["image", "audio", "font", "model", "video", "data"])


@dataclass
class _UploadOperation(Operation):
    """Documents the form of one file."""

    def __post_init__(self) -> None:
        """Say what the body is: the handler reads it itself."""
        self.request_body = receiving.multipart(
            projectId=_PROJECT,
            file=receiving.FILE,
            name=Schema(type=OpenAPIType.STRING),
            type=_KIND,
        )


@dataclass
class _BatchOperation(Operation):
    """Documents the form of many files."""

    def __post_init__(self) -> None:
        """Say what the body is: the handler reads it itself."""
        self.request_body = receiving.multipart(
            projectId=_PROJECT, files=Schema(type=OpenAPIType.ARRAY, items=receiving.FILE)
        )


# the form reader counts every byte against the settings, so the framework need not
@post("/upload", opt=_UPLOAD, request_max_body_size=None, operation_class=_UploadOperation)
async def upload(
    request: receiving.AnyRequest, means: NamedDependency[Means], caller: NamedDependency[Caller]
) -> Response[Answer[Asset]]:
    """Upload one file as a multipart form: projectId, file, and optionally name and type.

    The same bytes under the same name answer 200 with the asset that is there; other bytes 409.
    """
    settings = means.settings
    limits = receiving.limits_of_one(settings)
    fields = frozenset({"projectId", "name", "type"})
    boundary = receiving.boundary(request, limits.total_bytes_max)
    async with form.received(receiving.body(request), boundary, "file", fields, limits) as given:
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
    request: receiving.AnyRequest, means: NamedDependency[Means], caller: NamedDependency[Caller]
) -> Response[Answer[list[Item]]]:
    """Upload many files as a multipart form: projectId, files. Each has a result of its own."""
    settings = means.settings
    limits = receiving.limits(settings, settings.batch_files_max, settings.batch_bytes_max)
    boundary = receiving.boundary(request, limits.total_bytes_max)
    fields = frozenset({"projectId"})
    async with form.received(receiving.body(request), boundary, "files", fields, limits) as given:
        if not given.files:
            raise InvalidError.of("files", "This is required.")
        items = await service.upload_batch(means, caller, _project(given.fields), given.files)
    return Response(answers.answer(items))


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
