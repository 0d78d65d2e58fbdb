"""Identifiers that sort by the time they were made."""

import os
import time
from uuid import UUID

_RANDOM_BITS = 80
_MILLISECOND_NS = 1_000_000
_FRACTIONS = 1 << 12
_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM = (1 << 62) - 1


def uuid7() -> UUID:
    """Make a version 7 UUID (RFC 9562): milliseconds, 1/4096 of them, then 62 random bits."""
    milliseconds, rest_ns = divmod(time.time_ns(), _MILLISECOND_NS)
    fraction = rest_ns * _FRACTIONS // _MILLISECOND_NS
    moment = milliseconds << _RANDOM_BITS | _VERSION | fraction << 64
    return UUID(int=moment | _VARIANT | int.from_bytes(os.urandom(8)) & _RANDOM)
