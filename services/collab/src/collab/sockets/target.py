"""Which room or document a socket is for, by its path."""

import re
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import UUID

import msgspec

_DOCUMENT = re.compile(r"/collab/v1/documents/([0-9a-fA-F-]{36})/(.+)")
_ROOM = re.compile(r"/collab/v1/projects/([0-9a-fA-F-]{36})/?")


class Target(msgspec.Struct, frozen=True):
    """``path`` is a document's; a room has none. The credentials are the query's."""

    project_id: UUID
    path: str | None
    ticket: str = ""
    access_token: str = ""

    @property
    def place(self) -> str:
        """The request's path, without credentials."""
        if self.path is None:
            return f"/collab/v1/projects/{self.project_id}"
        return f"/collab/v1/documents/{self.project_id}/{quote(self.path)}"


def parse(request_path: str) -> Target | None:
    """Read a request's path and query; ``None`` where it is neither a room's nor a document's."""
    parts = urlsplit(request_path)
    query = parse_qs(parts.query)
    document = _DOCUMENT.fullmatch(parts.path)
    found = document or _ROOM.fullmatch(parts.path)
    if found is None:
        return None
    try:
        project_id = UUID(found[1])
        path = unquote(document[2], errors="strict") if document else None
    except (ValueError, UnicodeDecodeError):
        return None
    if path is not None and not is_sane(path):
        return None
    return Target(project_id, path, _one(query, "ticket"), _one(query, "access_token"))


def _one(query: dict[str, list[str]], name: str) -> str:
    return query.get(name, [""])[0]


def is_sane(path: str) -> bool:
    """Whether a file could have this path at all; the projects service decides whether one has."""
    return all(part not in {"", ".", ".."} for part in path.split("/")) and "\0" not in path
