"""A log that is kept in the object store, as its build's row tells of it."""

from msgspec import Struct


class Kept(Struct, frozen=True):
    """How many lines there are, and the hash of the text that they make."""

    lines: int
    sha256: str
