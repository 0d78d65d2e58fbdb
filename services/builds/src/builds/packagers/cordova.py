"""The game as an application for phones: a project for Cordova's command line."""

import html
from pathlib import Path
from typing import Any

from builds.packagers import head, icons, texts
from builds.packagers.editions import edition
from builds.packagers.types import INDEX, About, Content, Game
from builds.types import Target

TARGET: Target = "cordova"
VERSION = edition(TARGET)

_BRIDGE = "cordova.js"
# what the project was written for
_TOOLS = {"cordova": "13.0.0", "cordova-android": "15.1.0"}
_ORIENTATIONS = {"any": "default", "landscape": "landscape", "portrait": "portrait"}


def pack(game: Game, scratch: Path) -> dict[str, Content]:  # noqa: ARG001 - all of it is small
    """Return a project as ``cordova`` knows it."""
    about = game.about
    page = game.files[INDEX].read_text(encoding="utf-8")
    page = head.sealed(page, game.files, game.sealed)
    www: dict[str, Content] = {f"www/{path}": content for path, content in game.files.items()}
    if _BRIDGE not in game.files:
        # the platform puts it there
        page = head.with_more(page, [f'<script src="{_BRIDGE}"></script>'])
    www[f"www/{INDEX}"] = page.encode()
    return {
        **www,
        "config.xml": _config(about),
        "package.json": texts.settings(_project(about)),
        "res/icon.png": icons.largest(game),
        "res/splash.png": icons.splash(about),
        "README.md": texts.filled("cordova.md", name=about.name),
    }


def _config(about: About) -> bytes:
    return texts.filled(
        "config.xml",
        app_id=about.app_id,
        version=about.version,
        name=html.escape(about.name),
        description=html.escape(about.description or about.name),
        orientation=_ORIENTATIONS[about.orientation],
        background=icons.background(about),
    )


def _project(about: About) -> dict[str, Any]:
    return {
        "name": about.app_id.lower(),
        "displayName": about.name,
        "version": about.version,
        "description": about.description or about.name,
        "private": True,
        "scripts": {"android": "cordova build android"},
        "devDependencies": _TOOLS,
        "cordova": {"platforms": ["android"], "plugins": {}},
    }
