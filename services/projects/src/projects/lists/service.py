"""Lists of projects: a page of them, or a stretch after another."""

import msgspec

from common.answers import Feed, Window
from common.caller import Caller
from common.database import Database
from projects import cursors
from projects.lists import repository
from projects.lists.types import Wanted


async def page(db: Database, caller: Caller, wanted: Wanted, window: Window) -> tuple[int, bytes]:
    """Return how many such projects there are, and a page of them as JSON."""
    return await repository.page(db, caller.user_id, caller.project_id, wanted, window)


async def stretch(
    db: Database, caller: Caller, wanted: Wanted, cursor: str, limit: int
) -> Feed[msgspec.Raw]:
    """Return such projects as JSON, from where the cursor says.

    Raises ``CursorInvalidError`` for one that is of another list.
    """
    key = cursors.text if wanted.key == "name" else cursors.time
    after = cursors.position(cursor, cursors.place(key), *wanted.marks)
    rows = await repository.stretch(db, caller.user_id, caller.project_id, wanted, after, limit + 1)
    feed = cursors.fed(rows, limit, lambda row: row.place, *wanted.marks)
    return Feed(data=[msgspec.Raw(row.body) for row in feed.data], meta=feed.meta)
