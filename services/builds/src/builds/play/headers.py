"""What a browser is told about a game: what it is, how long to keep it, what it may do."""

import re
from uuid import UUID

from builds import encodings
from builds.mime import media_type
from builds.play.forms import Answer, Form
from builds.play.service import Allowed

_HASHED = re.compile(r"-[0-9A-Z]{8}\.[a-z0-9.]+$")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9.-]+(?::\d{1,5})?")
_YEAR_S = 31_536_000
# what a browser opens as a document, or starts a worker with
_DOCUMENTS = ("text/html", "image/svg+xml", "application/xml")
_SCRIPTS = ("text/javascript",)


def of(found: Allowed, form: Form, build_id: UUID, host: str, editors: str) -> dict[str, str]:
    """The headers of a file of a game; ``editors`` are the pages that may have it in a frame."""
    page = found.page
    kind = media_type(encodings.inner(found.path) if page.coding else found.path)
    told = {
        "content-type": kind,
        "etag": form.etag,
        "cache-control": _caching(found),
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        # who has the address may play; it is nobody's to be found
        "x-robots-tag": "noindex, nofollow",
        "content-security-policy": policy(build_id, host, editors, is_isolated=page.isolated),
    }
    if form.coding:
        told["content-encoding"] = form.coding
    if page.encodings:
        told["vary"] = "Accept-Encoding"
    return told | _walls(found, kind)


def part(answer: Answer, size: int) -> dict[str, str]:
    """The headers of a part, or of the refusal of one that is not there."""
    if answer.status == 416:  # noqa: PLR2004 - an HTTP status
        return {"content-range": f"bytes */{size}"}
    told = {"content-length": str(answer.end - answer.first)}
    if answer.status == 206:  # noqa: PLR2004 - an HTTP status
        told["content-range"] = f"bytes {answer.first}-{answer.end - 1}/{size}"
    return told


def _caching(found: Allowed) -> str:
    if not found.is_public:
        # a browser asks each time, and hears at once of a membership that is over
        return "private, no-cache"
    is_fixed = _HASHED.search(found.path) is not None
    return f"public, max-age={_YEAR_S}, immutable" if is_fixed else "public, no-cache"


def _walls(found: Allowed, kind: str) -> dict[str, str]:
    """What keeps other pages out of the game's memory, and lets it share its own with workers."""
    told: dict[str, str] = {}
    is_isolated = found.page.isolated
    if is_isolated or not found.is_public:
        told["cross-origin-resource-policy"] = "same-origin"
    if is_isolated and kind.startswith(_DOCUMENTS):
        told["cross-origin-opener-policy"] = "same-origin"
    if is_isolated and kind.startswith(_DOCUMENTS + _SCRIPTS):
        told["cross-origin-embedder-policy"] = "require-corp"
    return told


def policy(build_id: UUID, host: str, editors: str, *, is_isolated: bool) -> str:
    """What a game may do: all that a game needs, with its own files and with no others.

    It shares an origin with other games. So it reaches nothing but its own folder, opens no frames
    and sends no forms; and no windows, unless it is isolated: by the HTML standard a page that says
    both ``sandbox`` and how it is opened is not shown.
    """
    own = f"{host}/play/{build_id}/" if _HOST.fullmatch(host) else "'none'"
    ancestors = [one for one in editors.split(",") if _ORIGIN.fullmatch(one)]
    sandbox = "sandbox allow-scripts allow-same-origin allow-pointer-lock allow-orientation-lock"
    return "; ".join(
        (
            f"default-src {own} data: blob:",
            f"script-src {own} blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'",
            f"style-src {own} data: blob: 'unsafe-inline'",
            f"connect-src {own} data: blob:",
            f"worker-src {own} blob:",
            "object-src 'none'",
            "frame-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {' '.join(ancestors) or "'none'"}",
            *(() if is_isolated else (sandbox,)),
        )
    )
