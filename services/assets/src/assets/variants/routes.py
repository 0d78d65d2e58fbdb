"""The HTTP face of variants: an address of the bytes, or a list of those that there are."""

from typing import Annotated
from uuid import UUID

from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter

from assets.means import Means
from assets.variants import service
from assets.variants.schema import Variant
from assets.variants.service import Asked
from assets.variants.types import Format
from common import answers
from common.answers import Answer
from common.caller import Caller, needs

_READ = needs("assets:read", anonymous=True)
_MIN, _MAX = 16, 4_096


@get("/variants", opt=_READ)
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    w: Annotated[int | None, QueryParameter(name="w", ge=_MIN, le=_MAX)] = None,
    h: Annotated[int | None, QueryParameter(name="h", ge=_MIN, le=_MAX)] = None,
    kind: Annotated[Format | None, QueryParameter(name="format")] = None,
    accept: Annotated[str, HeaderParameter(name="accept")] = "",
) -> Response[Answer[list[Variant]]] | Response[None]:
    """Redirect to the picture within `w` and `h`, in a `format` or one that `Accept` names.

    Without any of them: list the variants that there are.
    """
    asked = Asked(w, h, kind)
    if asked.is_empty:
        found = await service.index(means, caller, asset_id)
        return Response(answers.answer(found), headers={"cache-control": "private, no-cache"})
    url = await service.picture(means, caller, asset_id, asked, accept)
    return _redirect(url, {} if kind else {"vary": "Accept"})


@get("/thumbnail", opt=_READ, status_code=302)
async def thumbnail(
    means: NamedDependency[Means], caller: NamedDependency[Caller], asset_id: FromPath[UUID]
) -> Response[None]:
    """Redirect to a small picture of the asset; 404 until it is made, and where there is none."""
    return _redirect(await service.thumbnail(means, caller, asset_id), {})


def _redirect(url: str, more: dict[str, str]) -> Response[None]:
    headers = {"location": url, "cache-control": "private, no-store", **more}
    return Response(None, status_code=302, headers=headers, media_type=MediaType.TEXT)


router = Router(
    "/api/v1/assets/{asset_id:uuid}", route_handlers=[index, thumbnail], tags=["Assets"]
)
