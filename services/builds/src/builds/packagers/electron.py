"""The game as an application for desktops: Electron's archive, and what makes installers of it."""

from pathlib import Path, PurePosixPath
from typing import Any

from builds.mime import media_type
from builds.packagers import asar, head, icons, security, texts
from builds.packagers.editions import edition, template
from builds.packagers.types import INDEX, About, Content, Game
from builds.types import Target

TARGET: Target = "electron"
VERSION = edition(TARGET)

ARCHIVE = "app.asar"
# what the settings beside the archive were written for
_TOOLS = {"@electron/asar": "3.4.1", "electron": "45.5.0", "electron-builder": "26.17.0"}


def pack(game: Game, scratch: Path) -> dict[str, Content]:
    """Return the archive and, beside it, the project that makes installers."""
    about = game.about
    asar.write(application(game), scratch / ARCHIVE)
    return {
        ARCHIVE: scratch / ARCHIVE,
        "build/icon.png": icons.largest(game),
        "electron-builder.json": texts.settings(_builder(about)),
        "package.json": texts.settings(_project(about)),
        "README.md": texts.filled("electron.md", name=about.name),
    }


def application(game: Game) -> dict[str, Content]:
    """What is in the archive."""
    page = game.files[INDEX].read_text(encoding="utf-8")
    site: dict[str, Content] = {f"site/{path}": content for path, content in game.files.items()}
    site[f"site/{INDEX}"] = head.sealed(page, game.files, game.sealed).encode()
    endings = sorted({PurePosixPath(path).suffix.lower() for path in game.files})
    told = {
        **_named(game.about),
        "main": "main.js",
        "game": {
            "title": game.about.name,
            "policy": security.policy(),
            "isIsolated": game.about.is_isolated,
            "types": {ending: media_type(f"x{ending}") for ending in endings if ending},
        },
    }
    return {
        **site,
        "icon.png": icons.largest(game),
        "main.js": template("main.js").encode(),
        "package.json": texts.settings(told),
    }


def _named(about: About) -> dict[str, Any]:
    return {
        "name": about.slug,
        "productName": about.name,
        "version": about.version,
        "description": about.description or about.name,
        "author": about.name,
    }


def _project(about: About) -> dict[str, Any]:
    return {
        "name": f"{about.slug}-desktop",
        "version": about.version,
        "private": True,
        "scripts": {
            "start": f"electron {ARCHIVE}",
            "unpack": f"asar extract {ARCHIVE} app",
            "dist": "npm run unpack && electron-builder --config electron-builder.json",
        },
        "devDependencies": _TOOLS,
    }


def _builder(about: About) -> dict[str, Any]:
    return {
        "appId": about.app_id,
        "productName": about.name,
        "directories": {"app": "app", "buildResources": "build", "output": "dist"},
        "files": ["**/*"],
        "asar": True,
        "npmRebuild": False,
        "electronFuses": {
            "runAsNode": False,
            "enableCookieEncryption": True,
            "enableNodeOptionsEnvironmentVariable": False,
            "enableNodeCliInspectArguments": False,
            "enableEmbeddedAsarIntegrityValidation": True,
            "onlyLoadAppFromAsar": True,
        },
        "linux": {"target": ["AppImage"], "category": "Game"},
        "mac": {"target": ["dmg"], "category": "public.app-category.games"},
        "win": {"target": ["nsis"]},
    }
