"""The HTTP face of administration."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from auth.admin import service
from auth.admin.schema import SORTS, Account, Changes
from common import answers
from common.answers import Answer, Page, PageLimit, PageNumber, answer
from common.caller import Caller, needs
from common.database import Database


@get("/", opt=needs(None))
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    q: Annotated[str, QueryParameter(name="q", max_length=100, pattern=r"^[^\x00]*$")] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "-createdAt",
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Response[Page[Account]]:
    """List accounts, perhaps those with ``q`` in their username or e-mail; for administrators."""
    wanted = answers.window(page, limit, sort, SORTS)
    found = await service.index(db, caller, q, wanted)
    return answers.raw_page(found.items, found.total, wanted)


@patch("/{user_id:uuid}", opt=needs(None, rate="write"))
async def change(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    user_id: FromPath[UUID],
    data: JSONBody[Changes],
) -> Answer[Account]:
    """Give somebody else's account another role, disable or enable it; for administrators.

    Who is disabled, or no administrator any more, is logged out everywhere.
    """
    return answer(await service.change(db, caller, user_id, data))


router = Router("/api/v1/users", route_handlers=[index, change], tags=["Administration"])
