"""What callers receive about providers."""

from msgspec import Struct


class Listed(Struct, frozen=True):
    """A provider that one may log in through: a button."""

    name: str
    kind: str
