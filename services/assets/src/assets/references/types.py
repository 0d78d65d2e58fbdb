"""Values of references."""

import msgspec


class Mention(msgspec.Struct, frozen=True, rename="camel"):
    """Where a needle stands: in a project's file at a path, in a line of it."""

    needle: str
    path: str
    line: int


class Mentions(msgspec.Struct, frozen=True, rename="camel"):
    """Some of what was looked for; there is more to look through after ``next_cursor``."""

    mentions: list[Mention]
    next_cursor: str | None = None
