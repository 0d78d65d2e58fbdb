"""The HTTP face of presigned uploads."""

from uuid import UUID

from litestar import Response, Router, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from assets.means import Means
from assets.presigned import service
from assets.presigned.schema import NewUpload, Upload
from assets.types import Asset, shown
from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.idempotency import Keyed

_BASE = "/api/v1/assets"
_WRITE = needs("assets:write", rate="write")


@post("/uploads", opt=_WRITE, middleware=[Keyed])
async def begin(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    data: JSONBody[NewUpload],
) -> Response[Answer[Upload]]:
    """Get a URL that takes one file: its size, its type and its hash are signed in.

    Send the file with the given method and headers, just so, and then complete the upload.
    """
    upload = await service.begin(means, caller, data)
    headers = {"location": f"{_BASE}/uploads/{upload.id}", "cache-control": "no-store"}
    return Response(answers.answer(upload), status_code=201, headers=headers)


@post("/uploads/{upload_id:uuid}/complete", opt=_WRITE, middleware=[Keyed])
async def complete(
    means: NamedDependency[Means], caller: NamedDependency[Caller], upload_id: FromPath[UUID]
) -> Response[Answer[Asset]]:
    """Verify what was sent and make it an asset; what is refused is deleted."""
    outcome = await service.complete(means, caller, upload_id)
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


router = Router(_BASE, route_handlers=[begin, complete, abort], tags=["Assets"])
