"""What the fleet asks about sessions; the gateways, as Envoy asks for a filter's configuration."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import Scope

from auth.revocations import service
from auth.revocations.schema import Liveness, Question
from auth.revocations.spreading import Revocations
from common import exchange
from common.caller import headers_of
from common.database import Database


@get("/internal/sessions/{session_id:uuid}", include_in_schema=False)
async def show(db: NamedDependency[Database], session_id: FromPath[UUID]) -> Liveness:
    """Tell the fleet whether a session goes on; one that never was does not."""
    return await service.liveness(db, session_id)


@post("/v3/discovery:extension_configs", status_code=200, include_in_schema=False)
async def discover(
    scope: Scope, revocations: NamedDependency[Revocations], data: JSONBody[Question]
) -> Response[bytes]:
    """Tell a gateway which sessions are over; 304 where it knows."""
    gateway = headers_of(scope).get(b"x-internal-caller", b"").decode("latin-1")
    body = await revocations.tell(gateway, data.version_info)
    now = exchange.current()
    if now is not None:
        now.is_routine = True
    if body is None:
        return Response(b"", status_code=304)
    return Response(body, media_type="application/json")
