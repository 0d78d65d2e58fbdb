"""What makes a site an application: a manifest, icons, and a worker that keeps the game."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from builds.packagers import head, icons, texts, zips
from builds.packagers.editions import template
from builds.packagers.types import INDEX, Content, Game

MANIFEST = "manifest.webmanifest"
WORKER = "sw.js"
STARTER = "pwa/start.js"
_ICON = "pwa/icon-{pixels}.png"
_SHORT_NAME_MAX = 30

# more than that is kept only once it was needed
KEPT_BYTES_MAX = 32 << 20
_NEVER_KEPT = (".map",)


def added(game: Game) -> dict[str, Content]:
    """The files beside the game's own; what the game has itself is not replaced."""
    made: dict[str, Content] = {}
    if not game.about.icons:
        for pixels in icons.SIZES:
            made[_ICON.format(pixels=pixels)] = icons.standard(game.about, pixels)
    made[MANIFEST] = texts.settings(_manifest(game))
    if WORKER not in game.files:
        made[STARTER] = template("start.js").encode()
    return {path: content for path, content in made.items() if path not in game.files}


def links(game: Game, page: str, given: Mapping[str, Content]) -> list[str]:
    """What the page's head says of them, unless it says so itself."""
    said = head.relations(page)
    icon = _pictures(game)[0]["src"]
    lines = []
    if "manifest" not in said:
        # a private game's files are given to none without a cookie
        lines.append(head.link(rel="manifest", href=MANIFEST, crossorigin="use-credentials"))
    if "icon" not in said:
        lines.append(head.link(rel="icon", type="image/png", href=icon))
    if "apple-touch-icon" not in said:
        lines.append(head.link(rel="apple-touch-icon", href=icon))
    starter = given.get(STARTER)
    if isinstance(starter, bytes):
        seal = head.integrity(starter)
        lines.append(f'<script src="{STARTER}" integrity="{seal}" defer></script>')
    return lines


def _pictures(game: Game) -> list[dict[str, str]]:
    found = [(icon.path, icon.pixels) for icon in game.about.icons]
    if not found:
        found = [(_ICON.format(pixels=pixels), pixels) for pixels in icons.SIZES]
    return [
        {"src": path, "sizes": f"{pixels}x{pixels}", "type": "image/png"} for path, pixels in found
    ]


def _manifest(game: Game) -> dict[str, Any]:
    about = game.about
    colour = icons.background(about)
    return {
        "name": about.name,
        "short_name": about.name[:_SHORT_NAME_MAX].rstrip(),
        "description": about.description,
        "start_url": "./",
        "scope": "./",
        "display": "fullscreen",
        "orientation": about.orientation,
        "background_color": colour,
        "theme_color": colour,
        "categories": ["games"],
        "icons": _pictures(game),
    }


def worker(site: Mapping[str, Content]) -> bytes:
    """The worker of a site: it knows each file by its hash, and keeps the first of them."""
    files = {p: content for p, content in sorted(site.items()) if not p.endswith(_NEVER_KEPT)}
    kept: list[str] = []
    left = KEPT_BYTES_MAX
    # the page first, then what is small: more of the game is there sooner
    for path in sorted(files, key=lambda p: (p != INDEX, zips.size(files[p]), p)):
        left -= zips.size(files[path])
        if left < 0:
            break
        kept.append(path)
    hashes = {path: _hash(content) for path, content in files.items()}
    lists = b"const FILES = %b;\nconst KEPT = %b;\n" % (
        msgspec.json.encode(hashes),
        msgspec.json.encode(kept),
    )
    return lists + template("sw.js").encode()


def _hash(content: Content) -> str:
    with zips.opened(content) as file:
        return base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
