"""The HTTP face of archives."""

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import InternalServerException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, QueryParameter

from common import answers, ranges, slim
from common.caller import Caller, headers_of, needs
from common.errors import InvalidError, PayloadTooLargeError, UnsupportedMediaTypeError
from common.idempotency import Keyed
from common.storage import attachment
from projects.archives import form, service
from projects.archives.download import Download
from projects.archives.service import Packed, Snapshot
from projects.archives.spool import Spool
from projects.archives.turns import Turns
from projects.lifecycle.schema import NewProject, Project
from projects.means import Means
from projects.trees.types import moment_of

_BASE = "/api/v1/projects"
_ZIP = "application/zip"
_ZIPS = (_ZIP, "application/octet-stream", "application/x-zip-compressed")
_FORM = "multipart/form-data"
_ENVELOPE_BYTES = 65_536
_BYTES = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
AnyRequest = Request[object, object, State]


@dataclass
class _ImportOperation(Operation):
    """Documents the body, which the handler reads itself."""

    def __post_init__(self) -> None:
        """Say what the body is."""
        members: dict[str, Reference | Schema] = {
            "file": _BYTES,
            "name": Schema(type=OpenAPIType.STRING),
        }
        whole = Schema(type=OpenAPIType.OBJECT, properties=members, required=["file"])
        self.request_body = RequestBody(
            {_ZIP: OpenAPIMediaType(_BYTES), _FORM: OpenAPIMediaType(whole)}, required=True
        )


@route(
    "/{project_id:uuid}/export",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=needs("projects:read", anonymous=True),
    responses={
        200: ResponseSpec(
            bytes, media_type=_ZIP, description="A zip archive.", generate_examples=False
        )
    },
)
async def export(
    request: AnyRequest,
    means: NamedDependency[Means],
    turns: NamedDependency[Turns],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    at: Annotated[str | None, QueryParameter(name="at", max_length=40)] = None,
) -> slim.Reply:
    """Download the project's files as a zip archive, or those ``at`` a moment of its history.

    The same files are the same bytes. ``Repr-Digest`` has the archive's SHA-256.
    """
    moment = None if at is None else moment_of(at)
    wanted = await service.snapshot(means, caller, project_id, moment)
    etag = f'"{wanted.tag}"'.encode()
    headers = headers_of(request.scope)
    if _knows(headers.get(b"if-none-match", b""), etag):
        return slim.empty(304, ((b"etag", etag), (b"cache-control", b"no-cache")))
    packed = await service.pack(means, turns, wanted)
    asked = headers.get(b"range") if headers.get(b"if-range", etag).strip() == etag else None
    span = ranges.wanted(asked.decode("latin-1") if asked else None, packed.size)
    if span == "unsatisfiable":
        await packed.close()
        return slim.empty(416, ((b"content-range", b"bytes */%d" % packed.size),))
    about = _about(wanted, packed, etag)
    if span == "whole":
        return Download(packed, 200, about, 0, packed.size)
    first, last = span
    part = (b"content-range", b"bytes %d-%d/%d" % (first, last, packed.size))
    return Download(packed, 206, (*about, part), first, last - first + 1)


def _knows(header: bytes, etag: bytes) -> bool:
    tags = [tag.strip().removeprefix(b"W/") for tag in header.split(b",")]
    return etag in tags or b"*" in tags


def _about(wanted: Snapshot, packed: Packed, etag: bytes) -> slim.Headers:
    return (
        (b"content-type", _ZIP.encode()),
        (b"content-disposition", attachment(f"{wanted.name}.zip").encode()),
        (b"repr-digest", b"sha-256=:" + b64encode(packed.digest) + b":"),
        (b"etag", etag),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", b"no-cache"),
        (b"x-content-type-options", b"nosniff"),
    )


@post(
    "/import",
    opt=needs("projects:write", rate="upload"),
    middleware=[Keyed],
    # the spool counts every byte against the settings, so the framework need not
    request_max_body_size=None,
    operation_class=_ImportOperation,
)
async def create(
    request: AnyRequest,
    means: NamedDependency[Means],
    turns: NamedDependency[Turns],
    caller: NamedDependency[Caller],
    name: Annotated[str | None, QueryParameter(name="name")] = None,
) -> Response[answers.Answer[Project]]:
    """Create a project from a zip archive: as it is, or as ``file`` of a form, beside a ``name``.

    Without a name it is called as the form's file is. With an ``Idempotency-Key`` an archive is at
    most as large as any other request with one.
    """
    await service.refuse_early(means, caller)
    new = None if name is None else _new(name)
    boundary = _boundary(request, means.settings.import_bytes_max)
    async with turns.receiving.taken():
        with closing(_spool(means)) as spool:
            given = await _received(request, boundary, spool)
            if given.name is not None:
                new = _new(given.name)
            new = new or _new(form.called(given.filename))
            waits = b"idempotency-key" not in headers_of(request.scope)
            project_id, body = await service.unpack(
                means, turns, caller, new, spool.file, waits=waits
            )
    return answers.raw(body, status=201, location=f"{_BASE}/{project_id}")


def _spool(means: Means) -> Spool:
    return Spool(means.settings.archive_folder, means.settings.import_bytes_max)


def _new(name: str) -> NewProject:
    try:
        return msgspec.convert({"name": name}, NewProject)
    except msgspec.ValidationError as exc:
        raise InvalidError.of("name", str(exc).partition(" - at")[0]) from exc


def _boundary(request: AnyRequest, limit: int) -> str | None:
    """Return a form's boundary, ``None`` for a bare archive; refuse what cannot be one."""
    media_type, options = request.content_type
    boundary = options.get("boundary")
    is_form = media_type == _FORM and bool(boundary)
    if not is_form and media_type not in _ZIPS:
        raise UnsupportedMediaTypeError(
            "Send a zip archive, or a form with one.", {"field": "", "accepts": f"{_ZIP}, {_FORM}"}
        )
    length, most = request.content_length, limit + (_ENVELOPE_BYTES if is_form else 0)
    if length is not None and length > most:
        raise PayloadTooLargeError("The archive is too large.", {"limit": limit})
    return boundary if is_form else None


async def _received(request: AnyRequest, boundary: str | None, spool: Spool) -> form.Form:
    body = _body(request, spool.size_max + _ENVELOPE_BYTES)
    if boundary is not None:
        given = await form.received(body, boundary, spool)
    else:
        given = form.Form()
        async for piece in body:
            await spool.add(piece)
    await spool.finish()
    return given


async def _body(request: AnyRequest, limit: int) -> AsyncGenerator[bytes]:
    read = 0
    try:
        async for piece in request.stream():
            read += len(piece)
            if read > limit:
                # more than an archive and what a form puts around it
                raise PayloadTooLargeError("The request is too large.", {"limit": limit})
            yield piece
    except InternalServerException as exc:
        # the framework's word for a caller who went away, who will not read this either
        raise InvalidError.of("", "The body broke off.") from exc


router = Router(_BASE, route_handlers=[export, create], tags=["Projects"])
