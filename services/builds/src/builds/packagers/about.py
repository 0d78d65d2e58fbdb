"""What project.json says of a game: checked, and completed where it says nothing."""

import re
import unicodedata
from pathlib import Path

import msgspec
from msgspec import Struct, field

from builds.packagers import icons, png
from builds.packagers.types import About, Icon, Orientation
from builds.types import BuildError, Diagnostic

_FILE = "project.json"
_NAME = "Game"
_VERSION = "1.0.0"
_NAMESPACE = "app.worldloom"
_NAME_MAX = 100
_DESCRIPTION_MAX = 1000
_APP_ID_MAX = 150
_ICONS_MAX = 16
_PIXELS_MAX = 4096
_NUMBER_MAX = 65_535

_NUMBER = r"(?:0|[1-9][0-9]{0,4})"
_VERSIONS = re.compile(rf"({_NUMBER}(?:\.{_NUMBER}){{0,2}})(-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?")
_APP_IDS = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)+")
_NO_NAME = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
# no part of a package's name on Android may be one
_KEYWORDS = """
abstract assert boolean break byte case catch char class const continue default do double else
enum extends final finally float for goto if implements import instanceof int interface long
native new package private protected public return short static strictfp super switch
synchronized this throw throws transient try void volatile while true false null
"""
_RESERVED = frozenset(_KEYWORDS.split())


class _Picture(Struct, frozen=True):
    src: str


class _Play(Struct, frozen=True):
    isolated: bool = False


class _Project(Struct, frozen=True, rename="camel"):
    name: str = ""
    version: str = _VERSION
    description: str = ""
    app_id: str = ""
    orientation: Orientation = "any"
    icons: list[str | _Picture] = field(default_factory=list)
    play: _Play = _Play()


def read(tree: Path) -> About:
    """Return what the project in ``tree`` says; raises ``BuildError`` where that cannot be."""
    path = tree / _FILE
    if not path.is_file():
        return _about(_Project(), tree)
    try:
        given = msgspec.json.decode(path.read_bytes(), type=_Project)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise _invalid(f"cannot be read: {exc}") from exc
    return _about(given, tree)


def _about(given: _Project, tree: Path) -> About:
    name = _line("name", given.name, _NAME_MAX) or _NAME
    return About(
        name=name,
        slug=_words(name, "-") or "game",
        version=_version(given.version),
        description=_line("description", given.description, _DESCRIPTION_MAX),
        app_id=_app_id(given.app_id) if given.app_id else _own_id(name),
        orientation=given.orientation,
        is_isolated=given.play.isolated,
        icons=_icons(given.icons, tree),
    )


def _line(what: str, text: str, most: int) -> str:
    line = " ".join(text.split())
    if len(line) > most:
        raise _invalid(f"has a {what} of more than {most} characters.")
    if any(unicodedata.category(character) in _NO_NAME for character in line):
        raise _invalid(f"has a {what} with characters that nobody can read.")
    return line


def _words(name: str, between: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return between.join(re.findall(r"[a-z0-9]+", plain))


def _version(text: str) -> str:
    found = _VERSIONS.fullmatch(text)
    numbers = found[1].split(".") if found else []
    if found is None or any(int(number) > _NUMBER_MAX for number in numbers):
        raise _invalid(
            f'has the version "{text[:_NAME_MAX]}"; write it like "1.4.0" or "1.4.0-beta".'
        )
    return ".".join([*numbers, "0", "0"][:3]) + (found[2] or "")


def _app_id(text: str) -> str:
    is_reserved = any(part in _RESERVED for part in text.lower().split("."))
    if not _APP_IDS.fullmatch(text) or len(text) > _APP_ID_MAX or is_reserved:
        raise _invalid(
            f'has the appId "{text[:_APP_ID_MAX]}"; write a domain backwards, in letters and'
            ' digits, like "com.example.game".'
        )
    return text


def _own_id(name: str) -> str:
    word = _words(name, "") or "game"
    return f"{_NAMESPACE}.{word if word[0].isalpha() and word not in _RESERVED else f'game{word}'}"


def _icons(given: list[str | _Picture], tree: Path) -> tuple[Icon, ...]:
    if len(given) > _ICONS_MAX:
        raise _invalid(f"names more than {_ICONS_MAX} icons.")
    paths = [icon if isinstance(icon, str) else icon.src for icon in given]
    found = tuple(_icon(path.removeprefix("./"), tree) for path in dict.fromkeys(paths))
    if found and max(icon.pixels for icon in found) < icons.LARGE:
        raise _invalid(f"names no icon that is {icons.LARGE} pixels wide or more.")
    return found


def _icon(path: str, tree: Path) -> Icon:
    parts = path.split("/")
    if parts[0] not in {"assets", "public"} or any(p in {"", ".", ".."} for p in parts):
        raise _invalid(
            f'names the icon "{path[:_NAME_MAX]}", which is not below assets/ or public/.'
        )
    if any(p.startswith(".") for p in parts) or not (tree / path).is_file():
        raise _invalid(f'names the icon "{path[:_NAME_MAX]}", which is not there.')
    with (tree / path).open("rb") as file:
        size = png.size(file.read(png.HEAD_BYTES))
    if size is None or not path.lower().endswith(".png"):
        raise _invalid(f'names the icon "{path[:_NAME_MAX]}", which is no PNG.')
    if size[0] != size[1] or not 0 < size[0] <= _PIXELS_MAX:
        raise _invalid(
            f'names the icon "{path[:_NAME_MAX]}", which is not a square of at most {_PIXELS_MAX}'
            " pixels."
        )
    return Icon(path, size[0])


def _invalid(what: str) -> BuildError:
    message = f"{_FILE} {what}"
    found = Diagnostic(_FILE, None, None, "CONFIG", message, "error")
    return BuildError("CONFIG_INVALID", message, diagnostics=[found])
