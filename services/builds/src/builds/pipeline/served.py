"""What a site's files are to say of themselves when they are played."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from builds import encodings
from builds.types import Page


def marked(
    site: dict[str, Page], files: Mapping[str, Path], *, is_isolated: bool
) -> dict[str, Page]:
    """The site's files with how each is encoded, and with the isolation that the project wants."""
    return {
        path: msgspec.structs.replace(page, coding=_coding(files[path], path), isolated=is_isolated)
        for path, page in site.items()
    }


def _coding(place: Path, path: str) -> encodings.Coding | None:
    if encodings.inner(path) == path:
        return None
    with place.open("rb") as file:
        return encodings.coding(path, file.read(encodings.HEAD_BYTES))
