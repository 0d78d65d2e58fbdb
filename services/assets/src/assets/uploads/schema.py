"""What crosses the edge of uploads."""

import msgspec

from assets.types import Asset
from common.errors import Detail


class Fault(msgspec.Struct, frozen=True):
    """Why one file of a batch was not taken."""

    code: str
    message: str
    details: list[Detail]


class Item(msgspec.Struct, frozen=True):
    """What became of one file of a batch: ``status`` is what it would have been answered alone."""

    index: int
    name: str
    status: int
    asset: Asset | None = None
    error: Fault | None = None
