"""What a site's files are to say of themselves when they are played."""

from pathlib import Path

import msgspec

from builds import encodings
from builds.pipeline.plan import Plan
from builds.types import Page


def marked(site: dict[str, Page], folder: Path, plan: Plan) -> dict[str, Page]:
    """The site's files with how each is encoded, and with the isolation that the project wants."""
    return {
        path: msgspec.structs.replace(page, coding=_coding(folder, path), isolated=plan.is_isolated)
        for path, page in site.items()
    }


def _coding(folder: Path, path: str) -> encodings.Coding | None:
    if encodings.inner(path) == path:
        return None
    with (folder / path).open("rb") as file:
        return encodings.coding(path, file.read(encodings.HEAD_BYTES))
