"""The HTTP face of keys for machines. A key cannot make keys."""

from uuid import UUID

from litestar import HttpMethod, Response, Router, delete, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import Scope

from auth.api_keys import service
from auth.api_keys.schema import ApiKey, CreatedApiKey, Introspection, NewApiKey, Status
from auth.settings import Settings
from common.answers import Answer, answer
from common.caller import Caller, headers_of, needs
from common.database import Database
from common.idempotency import Keyed

_BASE = "/api/v1/auth/api-keys"
_WRITE = needs(None, rate="write")


@post("/", opt=_WRITE, middleware=[Keyed])
async def create(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    caller: NamedDependency[Caller],
    data: JSONBody[NewApiKey],
) -> Response[Answer[CreatedApiKey]]:
    """Make a key; it is shown this once."""
    made = await service.create(db, settings, caller, data)
    headers = {"location": f"{_BASE}/{made.id}", "cache-control": "no-store"}
    return Response(answer(made), status_code=201, headers=headers)


@get("/", opt=needs(None))
async def index(
    db: NamedDependency[Database], caller: NamedDependency[Caller]
) -> Answer[list[ApiKey]]:
    """List one's keys."""
    return answer(await service.index(db, caller))


@delete("/{key_id:uuid}", opt=_WRITE)
async def revoke(
    db: NamedDependency[Database], caller: NamedDependency[Caller], key_id: FromPath[UUID]
) -> None:
    """Let a key be good no more."""
    await service.revoke(db, caller, key_id)


@post("/introspect", opt=_WRITE, status_code=200)
async def introspect(
    db: NamedDependency[Database], caller: NamedDependency[Caller], data: JSONBody[Introspection]
) -> Answer[Status]:
    """Look whether a key is good."""
    return answer(await service.introspect(db, caller, data.key))


@route(
    ["/internal/authz", "/internal/authz/{rest:path}"],
    # the gateway asks with the method of the request that it asks about
    http_method=list(HttpMethod),
    status_code=200,
    include_in_schema=False,
)
async def authorize(
    scope: Scope, db: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Response[None]:
    """Tell the gateway, in headers, whom a key stands for."""
    headers = headers_of(scope)
    key = headers.get(b"x-api-key", b"").decode("latin-1")
    address = headers.get(b"x-envoy-external-address", b"").decode("latin-1")
    use = await service.use(db, settings, key, address)
    identity = {
        "x-user-id": str(use.account_id),
        "x-auth-role": use.role,
        "x-auth-method": "api_key",
        "x-auth-scopes": " ".join(use.scopes),
    }
    if use.project_id is not None:
        identity["x-auth-project"] = str(use.project_id)
    return Response(None, status_code=200, headers=identity)


router = Router(_BASE, route_handlers=[create, index, revoke, introspect], tags=["API keys"])
