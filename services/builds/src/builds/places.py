"""Where in the object store the results of builds are.

A result is named after the build that made it; builds of the same input share it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from builds.encodings import ENDINGS

BUCKET = "builds"


def artifact(result_id: UUID, name: str) -> str:
    """The key of a file to download."""
    return f"{result_id}/artifacts/{name}"


def page(result_id: UUID, path: str) -> str:
    """The key of a file of the site that is played."""
    return f"{result_id}/site/{path}"


def pages(result_id: UUID, site: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The keys of all files of a site as a build's row has it, compressed copies among them."""
    return [
        page(result_id, path + ending)
        for path, about in site.items()
        for ending in ("", *(ENDINGS[coding] for coding in about.get("encodings", ())))
    ]


def log(build_id: UUID) -> str:
    """The key of the log of a build that has ended."""
    return f"{build_id}/log.ndjson.gz"


def folders(result_id: UUID) -> tuple[str, str]:
    """Where all that belongs to a result lies; its build's log lies elsewhere."""
    return artifact(result_id, ""), page(result_id, "")
