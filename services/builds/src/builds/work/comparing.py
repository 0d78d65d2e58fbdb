"""A build that checks another: nothing of it is kept but whether it came to the same."""

from pathlib import Path
from typing import override

from builds.pipeline.publish import Shelf
from builds.types import Artifact, BuildError


class Nowhere(Shelf):
    """Takes what there is already, and keeps none of it."""

    @override
    async def put(self, key: str, path: Path, content_type: str) -> None:
        pass


def demand_same(before: list[Artifact], now: list[Artifact], *, same_tools: bool) -> None:
    """Raise ``BuildError`` with both hashes of whatever is not what it was."""
    was, is_now = ({a.name: a.sha256 for a in found} for found in (before, now))
    different = [
        f"{name} had the SHA-256 {was.get(name, 'of nothing')}, and now {is_now.get(name, 'none')}."
        for name in sorted(was.keys() | is_now.keys())
        if was.get(name) != is_now.get(name)
    ]
    if different:
        if not same_tools:
            different.append("Other tools made it than those of this worker.")
        raise BuildError("NOT_REPRODUCIBLE", " ".join(different))
