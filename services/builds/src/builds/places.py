"""Where in the object store a build's results are."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

BUCKET = "builds"
TWINS = {"br": ".br", "gzip": ".gz"}
"""What is behind a page's key for a copy of it in a content coding."""


def artifact(build_id: UUID, name: str) -> str:
    """The key of a file to download."""
    return f"{build_id}/artifacts/{name}"


def page(build_id: UUID, path: str) -> str:
    """The key of a file of the site that is played."""
    return f"{build_id}/site/{path}"


def pages(build_id: UUID, site: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The keys of all files of a site as a build's row has it, twins among them."""
    keys = []
    for path, about in site.items():
        endings = ["", *(TWINS[coding] for coding in about.get("encodings", ()))]
        keys += [page(build_id, path + ending) for ending in endings]
    return keys
