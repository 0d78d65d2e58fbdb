"""Prepare the stores, for every environment alike: ``python -m fleet.bootstrap postgres|nats|s3``.

Each may run again at any time: it makes what is missing and changes what differs.
"""

import asyncio
import importlib
import sys

STORES = ("postgres", "nats", "s3")


def main() -> None:
    """Prepare the store that the argument names."""
    match sys.argv[1:]:
        case [store] if store in STORES:
            # each brings a client library of its own, and one start needs one of them
            asyncio.run(importlib.import_module(f"fleet.bootstraps.{store}").prepare())
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
