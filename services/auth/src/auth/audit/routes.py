"""The HTTP face of the audit: one reads what happened to oneself, and nobody writes."""

from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from auth.audit import service
from auth.audit.schema import AuditEntry
from common.answers import LIMIT_MAX, Cursor, Feed, PageLimit
from common.caller import Caller, needs
from common.database import Database


@get("/users/me/audit", opt=needs(None))
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    action: Annotated[
        str | None, QueryParameter(name="action", max_length=64, pattern=r"^[a-z_]+\.[a-z_]+$")
    ] = None,
    cursor: Cursor = None,
    limit: PageLimit = 20,
) -> Feed[AuditEntry]:
    """List what happened to one's own account, the newest first; perhaps of one kind alone."""
    return await service.index(db, caller, action, cursor, min(limit, LIMIT_MAX))


router = Router("/api/v1", route_handlers=[index], tags=["Audit"])
