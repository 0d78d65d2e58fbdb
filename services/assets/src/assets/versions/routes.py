"""The HTTP face of an asset's versions; a new one comes in as any upload does."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Operation
from litestar.params import FromPath, HeaderParameter, JSONBody

from assets.means import Means
from assets.types import Asset, shown
from assets.uploads import form, receiving
from assets.uploads import service as uploads
from assets.versions import service
from assets.versions.schema import Changed, Rollback, Version
from common import answers
from common.answers import Answer, Page, PageLimit, PageNumber
from common.caller import Caller, needs
from common.errors import InvalidError
from common.idempotency import Keyed

IfMatch = Annotated[str | None, HeaderParameter(name="if-match")]


@get("/versions", opt=needs("assets:read", anonymous=True))
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Page[Version]:
    """List what an asset was and is, the newest version first."""
    wanted = answers.window(page, limit, "-version", {"version"})
    total, found = await service.index(means, caller, asset_id, wanted)
    return answers.paged(found, total, wanted)


@dataclass
class _UploadOperation(Operation):
    """Documents the form of other bytes."""

    def __post_init__(self) -> None:
        """Say what the body is: the handler reads it itself."""
        self.request_body = receiving.multipart(file=receiving.FILE)


# the form reader counts every byte against the settings, so the framework need not
@post(
    "/versions",
    opt=needs("assets:write", rate="upload"),
    request_max_body_size=None,
    operation_class=_UploadOperation,
)
async def upload(
    request: receiving.AnyRequest,
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    if_match: IfMatch = None,
) -> Response[Answer[Changed]]:
    """Upload other bytes for an asset as a multipart form: file. Its id, name and type stay.

    The bytes that it has already answer 200, and make no new version.
    """
    settings = means.settings
    limits = receiving.limits_of_one(settings)
    boundary = receiving.boundary(request, limits.total_bytes_max)
    # who may not is told so before anything is read
    await service.writable(means, caller, asset_id)
    body = receiving.body(request)
    async with form.received(body, boundary, "file", frozenset(), limits) as given:
        if not given.files:
            raise InvalidError.of("file", "This is required.")
        outcome = await uploads.upload_version(means, caller, asset_id, given.files[0], if_match)
    asset = shown(outcome.asset, settings)
    changed = Changed(**msgspec.structs.asdict(asset), unchanged=not outcome.is_new)
    headers = {
        "location": f"/api/v1/assets/{asset.id}?v={asset.version}",
        "etag": outcome.asset.etag,
    }
    status = 201 if outcome.is_new else 200
    return Response(answers.answer(changed), status_code=status, headers=headers)


@post("/rollback", opt=needs("assets:write", rate="write"), status_code=200, middleware=[Keyed])
async def rollback(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    data: JSONBody[Rollback],
    if_match: IfMatch = None,
) -> Response[Answer[Asset]]:
    """Give an asset the bytes of an earlier version again: that is a new version too."""
    stored = await service.rollback(means, caller, asset_id, data.version, if_match)
    asset = shown(stored, means.settings)
    return Response(answers.answer(asset), headers={"etag": stored.etag})


router = Router(
    "/api/v1/assets/{asset_id:uuid}", route_handlers=[index, upload, rollback], tags=["Assets"]
)
