"""Identifiers that sort by the time they were made."""

import os
import time
from uuid import UUID

_RANDOM_BITS = 80
_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_CLEARED = ~(0xF << 76) & ~(0x3 << 62)


def uuid7() -> UUID:
    """Make a version 7 UUID (RFC 9562): 48 bits of milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << _RANDOM_BITS | int.from_bytes(os.urandom(10))
    return UUID(int=value & _CLEARED | _VERSION | _VARIANT)
