"""The HTTP face of playing: a game's files, with no identity but the key to the game."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import HttpMethod, MediaType, Request, Response, Router, route
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)

from builds import places
from builds.means import Means
from builds.play import headers, service
from builds.play.service import Allowed
from common import ranges
from common.caller import needs

_OPEN = needs(None, anonymous=True)
_READS = [HttpMethod.GET, HttpMethod.HEAD]

type PlayRequest = Request[object, object, State]


@route("/", http_method=_READS, opt=_OPEN)
async def start(
    request: PlayRequest, means: NamedDependency[Means], build_id: FromPath[UUID]
) -> Response[Any]:
    """Open a game."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    if not raw.partition(b"?")[0].endswith(b"/"):
        # relative addresses in the page count from the folder
        query = f"?{urlencode(dict(request.query_params))}" if request.query_params else ""
        return _lead(f"/play/{build_id}/{query}")
    return await _send(request, means, build_id, "")


@route("/{path:path}", http_method=_READS, opt=_OPEN)
async def show(
    request: PlayRequest,
    means: NamedDependency[Means],
    build_id: FromPath[UUID],
    path: FromPath[str],
) -> Response[Any]:
    """Send a file of a game."""
    return await _send(request, means, build_id, path.removeprefix("/"))


async def _send(request: PlayRequest, means: Means, build_id: UUID, path: str) -> Response[Any]:
    key = request.query_params.get("key")
    if key:
        return _admit(request, means, build_id, path, key)
    found = await service.find(means, build_id, path, request.cookies.get(headers.COOKIE, ""))
    told = headers.of(found, build_id, request.headers.get("host", ""))
    if headers.etag(found) in request.headers.get("if-none-match", "").split(", "):
        return Response(b"", status_code=304, headers=told)
    status, first, end = _part(request, found)
    if status == 416:  # noqa: PLR2004 - an HTTP status
        return Response(
            None, status_code=416, headers={"content-range": f"bytes */{found.page.size}"}
        )
    told["content-length"] = str(end - first)
    if status == HTTP_206_PARTIAL_CONTENT:
        told["content-range"] = f"bytes {first}-{end - 1}/{found.page.size}"
    if request.method == HttpMethod.HEAD:
        return Response(b"", status_code=status, headers=told)
    content = await _content(means, found, first, end)
    return Stream(content, status_code=status, headers=told)


def _part(request: PlayRequest, found: Allowed) -> tuple[int, int, int]:
    """The status, the first byte and the one after the last."""
    is_same = request.headers.get("if-range", headers.etag(found)) == headers.etag(found)
    span = ranges.wanted(request.headers.get("range") if is_same else None, found.page.size)
    if span == "whole":
        return HTTP_200_OK, 0, found.page.size
    if span == "unsatisfiable":
        return HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, 0, 0
    return HTTP_206_PARTIAL_CONTENT, span[0], span[1] + 1


async def _content(means: Means, found: Allowed, first: int, end: int) -> AsyncIterator[bytes]:
    whole = first == 0 and end == found.page.size
    byte_range = None if whole else f"bytes={first}-{end - 1}"
    key = places.page(found.result_id, found.path)
    _, pieces = await means.storage.stream(places.BUCKET, key, byte_range=byte_range)
    return pieces


def _admit(
    request: PlayRequest, means: Means, build_id: UUID, path: str, key: str
) -> Response[Any]:
    """Change a key in the address, which others see, for a cookie of this game alone."""
    lifetime_s = service.seconds_left(means, build_id, key)
    folder = f"/play/{build_id}/"
    rest = {k: v for k, v in request.query_params.items() if k != "key"}
    answer = _lead(folder + quote(path) + (f"?{urlencode(rest)}" if rest else ""))
    answer.set_cookie(
        Cookie(
            key=headers.COOKIE,
            value=key,
            path=folder,
            max_age=lifetime_s,
            httponly=True,
            secure=means.settings.gateway_url.startswith("https:"),
            samesite="lax",
        )
    )
    return answer


def _lead(location: str) -> Response[Any]:
    told = {"location": location, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(b"", status_code=302, headers=told, media_type=MediaType.TEXT)


router = Router("/play/{build_id:uuid}", route_handlers=[start, show], tags=["Play"])
