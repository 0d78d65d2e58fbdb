"""What a browser, and a cache on the way, is told of bytes: what they are, and that none runs."""

from assets.delivery.types import Coding, Held
from common.storage import attachment

_YEAR_S = 31_536_000
# what a browser shows itself and does not run. All else is saved, where it is opened as a page;
# that changes nothing for what a page embeds, a picture in SVG among it
_SHOWN = ("image/", "audio/", "video/", "font/", "model/")
_SHOWN_TOO = frozenset({"application/json", "text/csv", "text/plain"})
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
_NEVER_SHOWN = frozenset({"image/svg+xml"})


def of(held: Held, coded: Coding | None, etag: str) -> dict[str, str]:
    """The headers of bytes, however they are asked for."""
    headers = {
        "etag": etag,
        "content-type": _content_type(held.mime_type),
        "x-content-type-options": "nosniff",
        # nothing of it runs, wherever it is opened; a picture in a page is not concerned
        "content-security-policy": _POLICY,
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "*",
        "referrer-policy": "no-referrer",
        "accept-ranges": "bytes",
    }
    if coded:
        headers["content-encoding"] = coded
    if not is_shown(held.mime_type):
        headers["content-disposition"] = "attachment"
    return headers


def for_everybody(held: Held, sha256: str) -> dict[str, str]:
    """How caches treat public bytes; by the tags they can be told to forget them."""
    tags = (f"project-{held.project_id}", f"sha256-{sha256}")
    return {
        "cache-control": f"public, max-age={_YEAR_S}, immutable",
        "cache-tag": ",".join(tags),
        "surrogate-key": " ".join(tags),
    }


def for_one(left_s: int) -> dict[str, str]:
    """How caches treat private bytes: a browser keeps them as long as their address is good."""
    return {"cache-control": f"private, max-age={left_s}"}


def saved(name: str) -> dict[str, str]:
    """Let the bytes be saved under a name."""
    return {"content-disposition": attachment(name or "asset")}


def is_shown(mime_type: str) -> bool:
    """Whether a browser may show it where it is opened."""
    if mime_type in _NEVER_SHOWN:
        return False
    return mime_type.startswith(_SHOWN) or mime_type in _SHOWN_TOO


def _content_type(mime_type: str) -> str:
    return f"{mime_type}; charset=utf-8" if mime_type.startswith("text/") else mime_type
