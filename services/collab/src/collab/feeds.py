"""Where a feed goes on: a cursor fits only the feed that it came from."""

from collections.abc import Callable
from uuid import UUID

from common import answers
from common.answers import Feed


def position(cursor: str | None, name: str, project_id: UUID) -> int | None:
    """Return the number before which the feed goes on; raises ``CursorInvalidError``."""
    mark = _mark(name, project_id)

    def read(text: str) -> int:
        if not text.startswith(mark) or not text[len(mark) :].isdecimal():
            raise ValueError(text)
        return int(text[len(mark) :])

    return answers.position(cursor, read)


def fed[T](
    rows: list[T], limit: int, at: Callable[[T], int], name: str, project_id: UUID
) -> Feed[T]:
    """Wrap a stretch of a feed whose rows have the numbers ``at``."""
    return answers.fed(rows, limit, lambda row: f"{_mark(name, project_id)}{at(row)}")


def _mark(name: str, project_id: UUID) -> str:
    return f"{name}.{project_id.hex}."
