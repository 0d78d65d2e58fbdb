"""What crosses the fleet's own door to mentions."""

from typing import Annotated

from msgspec import Meta, Struct

Needle = Annotated[str, Meta(min_length=8, max_length=1_024)]


class Sought(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What to look for in a project's texts, as they are, or in all that it ever had.

    A needle with a slash in it is a path, any other a word; ``after`` is where the last answer
    got to.
    """

    needles: Annotated[list[Needle], Meta(min_length=1, max_length=100)]
    ever_before: bool = False
    after: Annotated[str, Meta(max_length=64)] | None = None


class Mention(Struct, frozen=True):
    """Where a needle stands: in a file at a path, in a line of it."""

    needle: str
    path: str
    line: int


class Mentions(Struct, frozen=True, rename="camel"):
    """What was found so far; there is more to look through after ``next_cursor``, if it is told."""

    mentions: list[Mention]
    next_cursor: str | None
