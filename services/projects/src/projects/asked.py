"""What a request for a file asks for."""

from urllib.parse import unquote_to_bytes

from litestar.types import Scope

from projects.errors import InvalidPathError


def path_of(scope: Scope, after: str = "/files/") -> str:
    """The path as it was sent: the router tidies slashes, and guesses at what is no text.

    Raises ``InvalidPathError`` where it is none.
    """
    sent: bytes = scope["raw_path"]
    try:
        return unquote_to_bytes(sent).decode().partition(after)[2]
    except UnicodeDecodeError as exc:
        fault = {"field": "path", "message": "A path is valid Unicode."}
        raise InvalidPathError("A path is valid Unicode.", fault) from exc


def wants_bytes(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether the file's bytes are asked for, not what is said of it."""
    accepted = b"application/octet-stream" in headers.get(b"accept", b"")
    return accepted or b"raw=1" in scope["query_string"].split(b"&")
