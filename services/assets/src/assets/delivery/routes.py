"""The HTTP face of delivery: plain bytes, no envelope, no identity."""

from typing import Annotated

from litestar import Request, Response, Router, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream

from assets.delivery import service
from assets.delivery.service import Conditions, Delivery
from assets.means import Means
from common.caller import needs


@route(
    ["/{sha256:str}", "/{sha256:str}/{name:str}"],
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=needs(None, anonymous=True),
    media_type="application/octet-stream",
)
async def show(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    sha256: FromPath[str],
    byte_range: Annotated[str | None, HeaderParameter(name="range")] = None,
    if_range: Annotated[str | None, HeaderParameter(name="if-range")] = None,
    if_none_match: Annotated[str | None, HeaderParameter(name="if-none-match")] = None,
) -> Response[bytes] | Stream:
    """Serve the bytes of a public project's asset; what has this address never changes.

    The name is for people: the hash alone says which bytes.
    """
    asked = Conditions(request.method == HttpMethod.HEAD, byte_range, if_range, if_none_match)
    return _answer(await service.deliver(means, sha256, asked))


def _answer(found: Delivery) -> Response[bytes] | Stream:
    media_type = found.headers.get("content-type", "application/octet-stream")
    if found.pieces is None:
        return Response(b"", status_code=found.status, headers=found.headers, media_type=media_type)
    return Stream(
        found.pieces, status_code=found.status, headers=found.headers, media_type=media_type
    )


router = Router("/cdn", route_handlers=[show], tags=["Assets"])
