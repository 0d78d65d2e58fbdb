"""The HTTP face of playing: a game's files, with no identity but the key to the game."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import HttpMethod, MediaType, Request, Response, Router, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_304_NOT_MODIFIED,
)

from builds import places
from builds.means import Means
from builds.play import cookies, forms, headers, service
from builds.play.forms import Answer, Asked
from builds.play.service import Allowed
from common.caller import needs

_OPEN = needs(None, anonymous=True)
_SENT = (HTTP_200_OK, HTTP_206_PARTIAL_CONTENT)
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
    service.demand_plain(path)
    key = request.query_params.get("key")
    if key:
        return _admit(request, means, build_id, path, key)
    said = request.headers.get
    cookie = request.cookies.get(cookies.NAME, "")
    is_keeper = said("service-worker") is not None
    found = await service.find(means, build_id, path, cookie, is_keeper=is_keeper)
    answer = forms.answer(found.page, _asked(request))
    told = headers.of(
        found, answer.form, build_id, said("host", ""), means.settings.allowed_origins
    )
    if answer.status == HTTP_304_NOT_MODIFIED:
        return Response(b"", status_code=answer.status, headers=told)
    told |= headers.part(answer, found.page.size)
    # of nothing there is no range to read
    is_empty = answer.first == answer.end
    if request.method == HttpMethod.HEAD or answer.status not in _SENT or is_empty:
        return Response(b"", status_code=answer.status, headers=told)
    content = await _content(means, found, answer)
    return Stream(content, status_code=answer.status, headers=told)


def _asked(request: PlayRequest) -> Asked:
    said = request.headers.get
    return Asked(
        accept_encoding=said("accept-encoding", ""),
        if_none_match=said("if-none-match", ""),
        if_range=said("if-range"),
        # of a HEAD there are no parts
        byte_range=said("range") if request.method == HttpMethod.GET else None,
    )


async def _content(means: Means, found: Allowed, answer: Answer) -> AsyncIterator[bytes]:
    form = answer.form
    if form.at is None:
        key = f"{places.page(found.result_id, found.path)}{form.end}"
        is_whole = answer.status == HTTP_200_OK
        byte_range = None if is_whole else f"bytes={answer.first}-{answer.end - 1}"
    else:
        key = places.pack(found.result_id)
        byte_range = f"bytes={form.at + answer.first}-{form.at + answer.end - 1}"
    _, pieces = await means.storage.stream(places.BUCKET, key, byte_range=byte_range)
    return pieces


def _admit(
    request: PlayRequest, means: Means, build_id: UUID, path: str, key: str
) -> Response[Any]:
    """Change a key in the address, which others see, for a cookie of this game alone."""
    lifetime_s = service.seconds_left(means, build_id, key)
    rest = {k: v for k, v in request.query_params.items() if k != "key"}
    query = f"?{urlencode(rest)}" if rest else ""
    answer = _lead(cookies.folder(build_id) + quote(path) + query)
    answer.headers["set-cookie"] = cookies.granted(
        key,
        build_id,
        lifetime_s,
        is_https=means.settings.play_origin.startswith("https:"),
        destination=request.headers.get("sec-fetch-dest"),
    )
    return answer


def _lead(location: str) -> Response[Any]:
    told = {"location": location, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(b"", status_code=302, headers=told, media_type=MediaType.TEXT)


router = Router("/play/{build_id:uuid}", route_handlers=[start, show], tags=["Play"])
