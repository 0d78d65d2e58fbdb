"""What callers send to have a project copied."""

from msgspec import Struct

from projects.lifecycle.schema import Name


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """How the copy is to be called."""

    name: Name | None = None
