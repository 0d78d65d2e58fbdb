"""Where in the object store the results of builds are.

A result is named after the build that made it; builds of the same input share it.
"""

from uuid import UUID

BUCKET = "builds"


def artifact(result_id: UUID, name: str) -> str:
    """The key of a file to download."""
    return f"{result_id}/artifacts/{name}"


def page(result_id: UUID, path: str) -> str:
    """The key of a file of the site that is played."""
    return f"{result_id}/site/{path}"


def folders(result_id: UUID) -> tuple[str, str]:
    """Where all that belongs to a result lies; its build's log lies elsewhere."""
    return artifact(result_id, ""), page(result_id, "")
