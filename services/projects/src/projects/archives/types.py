"""Archives: what is said of their entries, and how a refusal names one."""

import msgspec

from projects.errors import UnsafeArchiveError

STORED = 0
DEFLATED = 8
# below it nothing is a bomb, however well it was packed
RATIO_FROM_BYTES = 1_000_000
# what is written here stays far below what any reader refuses
RATIO_WRITTEN_MAX = 100
_SHOWN_MAX = 200


class Limits(msgspec.Struct, frozen=True):
    """How much an archive may hold, and how many times its own size that may be."""

    entries_max: int
    file_bytes_max: int
    total_bytes_max: int
    ratio_max: int


class Header(msgspec.Struct, frozen=True):
    """What the central directory says of an entry; ``packed`` is its size in the archive."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    attributes: int


class Entry(msgspec.Struct, frozen=True):
    """An entry that may be read: its bytes begin at ``start``."""

    path: str
    is_folder: bool
    method: int
    crc: int
    packed: int
    size: int
    start: int


def unsafe(name: bytes | None, why: str) -> UnsafeArchiveError:
    """Refuse an entry, or (without a name) the archive."""
    shown = None if name is None else _shown(name)
    return UnsafeArchiveError("The archive is not safe.", {"entry": shown, "message": why})


def _shown(name: bytes) -> str:
    text = name[:_SHOWN_MAX].decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
