"""Where in the object store a build's results are."""

from uuid import UUID

BUCKET = "builds"


def artifact(build_id: UUID, name: str) -> str:
    """The key of a file to download."""
    return f"{build_id}/artifacts/{name}"


def page(build_id: UUID, path: str) -> str:
    """The key of a file of the site that is played."""
    return f"{build_id}/site/{path}"


def log(build_id: UUID) -> str:
    """The key of the log of a build that has ended."""
    return f"{build_id}/log.ndjson.gz"
