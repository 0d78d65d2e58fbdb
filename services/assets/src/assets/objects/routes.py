"""What the gateway asks before it passes a presigned URL to the object store."""

from litestar import HttpMethod, Router, route
from litestar.types import Scope

from assets.objects import service, types
from common import slim


@route(
    "/objects/{key:path}",
    # asked with the method and the whole address of the request that it is about
    http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.PUT],
    status_code=200,
)
async def permit(scope: Scope) -> slim.Reply:
    """Say whether the URL may still be used; whether it was signed is for the store to say."""
    grant, db = types.read(scope["query_string"]), slim.database_of(scope)
    if scope.get("method") == HttpMethod.PUT:
        await service.demand_upload(db, grant, types.upload_in(str(scope["path_params"]["key"])))
    else:
        await service.demand_read(db, grant)
    return slim.empty(200)


internal = Router("/internal", route_handlers=[permit], include_in_schema=False)
