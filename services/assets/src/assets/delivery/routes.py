"""The HTTP face of delivery: plain bytes, no envelope, no identity."""

from collections.abc import Mapping
from typing import override
from uuid import UUID

from litestar import Router, get, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import HTTPResponseStartEvent, Receive, Scope, Send

from assets.delivery import service
from assets.delivery.stock import stock_of
from assets.delivery.types import Asked, Delivery, Supplied
from assets.means import Means, means_of
from common import slim
from common.caller import headers_of, needs


class Sent(slim.Reply):
    """Bytes at hand or as they come from the store: an ASGI application of one answer."""

    __slots__ = ("_pieces", "_told")

    def __init__(self, delivery: Delivery) -> None:
        told = delivery.headers
        if delivery.length is not None:
            told = {**told, "content-length": str(delivery.length)}
        body = delivery.body if isinstance(delivery.body, bytes) else None
        super().__init__(
            body or b"",
            delivery.status,
            tuple((name.encode(), value.encode()) for name, value in told.items()),
        )
        self._told = told
        self._pieces = None if isinstance(delivery.body, bytes) else delivery.body

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; where the client goes away, the store is not read any further."""
        if self._pieces is not None:
            stream = ASGIStreamingResponse(
                iterator=self._pieces,
                status_code=self.status_code,
                headers=self._told,
                media_type=self._told["content-type"],
            )
            await stream(scope, receive, send)
            return
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": [*self.headers],
        }
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


@route(
    ["/{sha256:str}", "/{sha256:str}/{name:str}"],
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=needs(None, anonymous=True),
    responses={
        200: ResponseSpec(
            bytes,
            media_type="application/octet-stream",
            description="The bytes.",
            generate_examples=False,
        )
    },
)
async def show(scope: Scope) -> Sent:
    """Serve the bytes with a hash; what has this address never changes.

    Those of a public project are for everybody. Others need the address that a download is led to:
    it is signed for one member, and good for minutes. The name is for people; it tells one type of
    text from another where the same bytes have two names. Of several ranges the whole is sent.
    """
    asked = _asked(scope, headers_of(scope))
    return Sent(await service.deliver(means_of(scope), stock_of(scope), asked))


@get(
    "/internal/projects/{project_id:uuid}/assets/{sha256:str}",
    opt={"rate": "read"},
    include_in_schema=False,
)
async def supply(
    means: NamedDependency[Means], project_id: FromPath[UUID], sha256: FromPath[str]
) -> Supplied:
    """Lead the fleet to bytes of a project by their hash; those of an older version too."""
    return await service.supply(means, project_id, sha256)


def _asked(scope: Scope, given: Mapping[bytes, bytes]) -> Asked:
    path = scope["path_params"]

    def said(name: bytes) -> str | None:
        value = given.get(name)
        return None if value is None else value.decode("latin-1").strip()

    return Asked(
        sha256=path["sha256"],
        name=path.get("name", ""),
        query=scope["query_string"],
        is_head=scope.get("method") == HttpMethod.HEAD,
        byte_range=said(b"range"),
        if_range=said(b"if-range"),
        if_match=said(b"if-match"),
        if_none_match=said(b"if-none-match"),
        accept_encoding=said(b"accept-encoding") or "",
    )


router = Router("/cdn", route_handlers=[show], tags=["Assets"])
internal = Router("/", route_handlers=[supply])
