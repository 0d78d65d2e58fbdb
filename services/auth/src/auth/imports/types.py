"""What becomes of a file of accounts."""

from typing import override

import msgspec

from auth.imports.schema import NewAccount


class Entry(msgspec.Struct, frozen=True):
    """A line of the file that can become an account."""

    line: int
    account: NewAccount


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a line."""

    line: int
    field: str
    message: str

    @override
    def __str__(self) -> str:
        """Write it for whoever mends the file."""
        return f"line {self.line}: {self.field + ': ' if self.field else ''}{self.message}"
