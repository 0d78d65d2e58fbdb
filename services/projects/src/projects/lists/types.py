"""Which projects are wanted, and in which order."""

from typing import Literal

import msgspec

type Kind = Literal["owned", "shared", "public", "trashed"]
type Match = Literal["any", "part", "alike"]

SORTS = ("createdAt", "updatedAt", "name")
# shorter ones are like everything
_ALIKE_LENGTH_MIN = 3
_LONG_LENGTH_MIN = 5


class Wanted(msgspec.Struct, frozen=True):
    """The projects of a kind with something in their names, in an order."""

    kind: Kind
    query: str
    sort: str

    @property
    def match(self) -> Match:
        """How names are compared with the query."""
        if not self.query:
            return "any"
        return "alike" if len(self.query) >= _ALIKE_LENGTH_MIN else "part"

    @property
    def pattern(self) -> str:
        """What ``ILIKE`` finds the query with, each of its characters meaning itself."""
        literal = self.query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"%{literal}%"

    @property
    def likeness(self) -> float:
        """How alike a part of the name and the query must be, by their trigrams.

        Words of four letters that differ in one have too little in common: "pong" would find poker.
        """
        return 0.4 if len(self.query) >= _LONG_LENGTH_MIN else 0.6

    @property
    def key(self) -> str:
        """The field that is sorted by."""
        return self.sort.removeprefix("-")

    @property
    def marks(self) -> tuple[str, ...]:
        """What a cursor of this list is of."""
        return self.kind, self.query, self.sort
