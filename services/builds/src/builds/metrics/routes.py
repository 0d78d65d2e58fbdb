"""What is measured, for who watches over the fleet: the gateway sends nobody here."""

from typing import Annotated

from litestar import Response, get
from litestar.datastructures import State
from litestar.params import Parameter

from builds.metrics import service


@get("/metrics", include_in_schema=False)
async def show(
    state: State, accept: Annotated[str, Parameter(header="accept")] = ""
) -> Response[bytes]:
    """Show the metrics of this process, in Prometheus' text or as OpenMetrics."""
    content, media_type = await service.exposed(state.get("db"), accept)
    return Response(content, media_type=media_type)
