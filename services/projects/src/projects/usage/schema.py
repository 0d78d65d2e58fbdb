"""What callers are told of how much a project holds."""

from msgspec import Struct


class Amount(Struct, frozen=True):
    """How much there is, and how much there may be."""

    used: int
    limit: int


class Usage(Struct, frozen=True, rename="camel"):
    """What a project holds.

    ``bytes`` are those of all content that it has or had, each once: history counts.
    """

    bytes: Amount
    files: Amount
    members: Amount
    seq: int
