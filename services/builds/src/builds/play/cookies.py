"""The cookie that opens one private game: of its folder alone, and of no other host."""

from uuid import UUID

NAME = "wl_play"

# how a browser calls a page in another one
_FRAMES = frozenset({"iframe", "frame", "embed", "object"})


def granted(
    key: str, build_id: UUID, lifetime_s: int, *, is_https: bool, destination: str | None
) -> str:
    """The cookie. It works in a frame of an editor, which is another site, where that can be.

    There a browser keeps it for that editor's pages alone, and wants a safe line. Over plain HTTP
    browsers take this machine for safe, but not all: so only a frame gets such a cookie there.
    ``destination`` is what the browser says it fetches the page for.
    """
    where = f"{NAME}={key}; Path={folder(build_id)}; Max-Age={lifetime_s}; HttpOnly"
    if is_https or destination in _FRAMES:
        return f"{where}; Secure; SameSite=None; Partitioned"
    return f"{where}; SameSite=Lax"


def folder(build_id: UUID) -> str:
    """Where a game is."""
    return f"/play/{build_id}/"
