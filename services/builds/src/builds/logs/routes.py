"""The HTTP face of logs: one address, three forms."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, Parameter
from litestar.response import Stream

from builds.logs import service
from builds.logs.schema import LogPage
from builds.logs.service import Text
from builds.means import Means
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.storage import attachment

_EVENTS = "text/event-stream"
_TEXT = "text/plain"
_LIVE = {"cache-control": "no-cache", "x-accel-buffering": "no"}
_LINE_MAX = 2**62


@get("/", opt=needs("builds:read"))
async def show(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    build_id: FromPath[UUID],
    accept: Annotated[str, Parameter(header="accept")] = "",
    last: Annotated[int, Parameter(header="last-event-id", ge=-1, lt=_LINE_MAX)] = -1,
    first: Annotated[int, Parameter(query="from", ge=0, lt=_LINE_MAX)] = 0,
    limit: Annotated[int, Parameter(query="limit", ge=1)] = 200,
    known: Annotated[str, Parameter(header="if-none-match")] = "",
) -> Response[Any]:
    """Show the log: server-sent events that follow it, plain text, or JSON page by page.

    ``Accept: text/event-stream`` follows from line 0, or from after ``Last-Event-ID``: events
    ``log`` (its id is the line's number), ``status`` and at last ``end``. The plain text is a
    download; after the build's end it has an ``ETag``.
    """
    if _EVENTS in accept:
        events = await service.stream(means, caller, build_id, max(first, last + 1))
        return Stream(events, media_type=_EVENTS, headers=_LIVE)
    if _TEXT in accept:
        return _text(build_id, await service.text(means, caller, build_id), known)
    page: Answer[LogPage] = answer(await service.page(means, caller, build_id, first, limit))
    return Response(page)


def _text(build_id: UUID, text: Text, known: str) -> Response[Any]:
    headers = {"cache-control": "private, no-cache", "vary": "accept"}
    if text.sha256 is not None:
        headers["etag"] = f'"{text.sha256}"'
        if text.sha256 in {tag.strip().removeprefix("W/").strip('"') for tag in known.split(",")}:
            return Response(None, status_code=304, headers=headers)
    headers["content-disposition"] = attachment(f"{build_id}.log")
    return Stream(text.pieces, media_type=f"{_TEXT}; charset=utf-8", headers=headers)


router = Router("/api/v1/builds/{build_id:uuid}/logs", route_handlers=[show], tags=["Builds"])
