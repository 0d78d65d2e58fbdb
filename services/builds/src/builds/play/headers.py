"""What a browser is told about a game: what it is, how long to keep it, what it may do."""

import re
from uuid import UUID

from builds.mime import media_type
from builds.play.service import Allowed

COOKIE = "wl_play"

_HASHED = re.compile(r"-[0-9A-Z]{8}\.[a-z0-9.]+$")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_YEAR_S = 31_536_000


def of(found: Allowed, build_id: UUID, host: str) -> dict[str, str]:
    """The headers of a file of a game."""
    who = "public" if found.is_public else "private"
    is_fixed = _HASHED.search(found.path) is not None
    caching = f"{who}, max-age={_YEAR_S}, immutable" if is_fixed else f"{who}, no-cache"
    return {
        "content-type": media_type(found.path),
        "etag": etag(found),
        "cache-control": caching,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": policy(build_id, host),
    }


def etag(found: Allowed) -> str:
    """The strong entity tag of a file: its own hash."""
    return f'"{found.page.sha256}"'


def policy(build_id: UUID, host: str) -> str:
    """What a game may do: all that a game needs, with its own files and with no others.

    It shares an origin with the API. So it reaches nothing but its own folder, opens no windows
    and no frames, and sends no forms.
    """
    own = f"{host}/play/{build_id}/" if _HOST.fullmatch(host) else "'none'"
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
            "sandbox allow-scripts allow-same-origin allow-pointer-lock allow-orientation-lock",
        )
    )
