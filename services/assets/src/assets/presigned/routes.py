"""The HTTP face of presigned uploads."""

from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from assets.means import Means
from assets.presigned import service
from assets.presigned.schema import Completion, NewUpload, PartedUpload, Upload
from assets.types import Asset, shown
from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.errors import InvalidError, UnsupportedMediaTypeError
from common.idempotency import Keyed

_BASE = "/api/v1/assets"
_WRITE = needs("assets:write", rate="write")


@post("/uploads", opt=_WRITE, middleware=[Keyed])
async def begin(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    data: JSONBody[NewUpload],
) -> Response[Answer[Upload | PartedUpload]]:
    """Get a URL that takes one file: its size, its type and its hash are signed in.

    Send the file with the given method and headers, just so, and then complete the upload. A large
    file, or one that asks for ``parts``, gets a URL for each of its parts instead.
    """
    upload = await service.begin(means, caller, data)
    headers = {"location": f"{_BASE}/uploads/{upload.id}", "cache-control": "no-store"}
    return Response(answers.answer(upload), status_code=201, headers=headers)


@get("/uploads/{upload_id:uuid}", opt=needs("assets:write"))
async def resume(
    means: NamedDependency[Means], caller: NamedDependency[Caller], upload_id: FromPath[UUID]
) -> Response[Answer[Upload | PartedUpload]]:
    """Go on with an upload: which parts are there, and fresh URLs for those that are missing."""
    upload = await service.resume(means, caller, upload_id)
    return Response(answers.answer(upload), headers={"cache-control": "no-store"})


@post(
    "/uploads/{upload_id:uuid}/complete",
    opt=needs("assets:write", rate="write", body=Completion),
)
async def complete(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    upload_id: FromPath[UUID],
) -> Response[Answer[Asset]]:
    """Verify what was sent and make it an asset; what is refused is deleted.

    A body is not needed, nor a key: asked again, it answers with the same asset. With the
    ``parts`` and their ETags they are compared first: where one is another, nothing is lost, and
    the upload can be completed afterwards.
    """
    completion = _completion(request.content_type[0], await request.body())
    outcome = await service.complete(means, caller, upload_id, completion.parts)
    asset = shown(outcome.asset, means.settings)
    headers = {"location": f"{_BASE}/{asset.id}", "etag": outcome.asset.etag}
    status = 201 if outcome.is_new else 200
    return Response(answers.answer(asset), status_code=status, headers=headers)


@delete("/uploads/{upload_id:uuid}", opt=_WRITE)
async def abort(
    means: NamedDependency[Means], caller: NamedDependency[Caller], upload_id: FromPath[UUID]
) -> None:
    """Abort an upload."""
    await service.abort(means, caller, upload_id)


def _completion(content_type: str, body: bytes) -> Completion:
    if not body:
        return Completion()
    if content_type != "application/json":
        raise UnsupportedMediaTypeError("Send application/json.")
    try:
        return msgspec.json.decode(body, type=Completion)
    except msgspec.DecodeError as exc:
        raise InvalidError.of("", str(exc)) from exc


router = Router(_BASE, route_handlers=[begin, resume, complete, abort], tags=["Assets"])
