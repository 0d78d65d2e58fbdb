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
    """The key of a file of the site that is played, where it is an object of its own."""
    return f"{result_id}/site/{path}"


def pack(result_id: UUID) -> str:
    """The key of the small files of the site, one behind another."""
    return f"{result_id}/site.pack"


def pages(result_id: UUID, site: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The keys of all objects of a site as a build's row has it, compressed copies among them."""
    alone = {path: about for path, about in site.items() if about.get("at") is None}
    keys = [
        page(result_id, path + ending)
        for path, about in alone.items()
        for ending in ("", *(ENDINGS[coding] for coding in about.get("encodings", ())))
    ]
    return keys if len(alone) == len(site) else [*keys, pack(result_id)]


def log(build_id: UUID) -> str:
    """The key of the log of a build that has ended."""
    return f"{build_id}/log.ndjson.gz"


def folders(result_id: UUID) -> tuple[str, ...]:
    """How the keys of all that belongs to a result begin; its build's log lies elsewhere."""
    return artifact(result_id, ""), page(result_id, ""), pack(result_id)
