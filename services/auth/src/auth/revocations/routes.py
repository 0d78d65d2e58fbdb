"""What the gateways ask: Envoy's discovery of a filter's configuration, over plain HTTP."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import Scope

from auth.revocations.schema import Question
from auth.revocations.service import Revocations
from common import exchange
from common.caller import headers_of


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
