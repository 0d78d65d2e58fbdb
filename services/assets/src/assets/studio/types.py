"""What is learned of a file by looking into it."""

from typing import Any

import msgspec


class Facts(msgspec.Struct, frozen=True):
    """What an asset's ``metadata`` says."""

    metadata: dict[str, Any]
