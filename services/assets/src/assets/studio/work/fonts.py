"""Fonts: their facts, a line in them, and the part of them that a page needs."""

import encodings
import io
from typing import IO, Any

import brotli
from fontTools import subset
from fontTools.encodings import codecs
from fontTools.ttLib import TTFont, sfnt, tables, woff2
from PIL import Image, ImageDraw, ImageFont

from assets.studio.messages import RefusedError, Task
from assets.studio.work import import_all, pictures

# those for Windows are not to be had elsewhere
import_all(encodings, "mbcs", "oem")
import_all(tables)
# and those that only know their own ways of reading
NEEDED = (brotli, codecs, sfnt, woff2)

_SAMPLE = "Hamburgefons 123"
_SIZE = 28
_MARGIN = 8
_WIDTH_MAX = 512
_GLYPHS_MAX = 65_536


def examine(_task: Task, source: IO[bytes], _target: IO[bytes]) -> dict[str, Any]:
    """What it is called, how heavy it is, and how many glyphs it has."""
    with _opened(source) as font:
        names = font["name"]
        return {
            "family": _text(names.getBestFamilyName()),
            "style": _text(names.getBestSubFamilyName()),
            "glyphs": font["maxp"].numGlyphs,
            "weight": font["OS/2"].usWeightClass if "OS/2" in font else None,
        }


def _opened(source: IO[bytes]) -> TTFont:
    # it closes what it reads from
    source.seek(0)
    return TTFont(io.BytesIO(source.read()), lazy=True, fontNumber=0)


def _text(name: str | None) -> str | None:
    """What can be stored, and is short enough to be shown."""
    return name.replace("\0", "").encode(errors="replace").decode()[:200] if name else None


def thumbnail(_task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """A line written in it."""
    with _opened(source) as font:
        known = font.getBestCmap() or {}
    line = _SAMPLE if all(ord(c) in known for c in _SAMPLE) else _own_sample(list(known))
    source.seek(0)
    face = ImageFont.truetype(io.BytesIO(source.read()), _SIZE)
    left, top, right, bottom = (int(v) for v in face.getbbox(line))
    size = (min(right - left, _WIDTH_MAX) + 2 * _MARGIN, min(bottom - top, 4 * _SIZE) + 2 * _MARGIN)
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).text((_MARGIN - left, _MARGIN - top), line, "black", face)
    return pictures.save(image, target, "webp")


def _own_sample(known: list[int]) -> str:
    visible = [chr(code) for code in known if chr(code).isprintable() and not chr(code).isspace()]
    if not visible:
        raise RefusedError("unreadable", "there is no character in it")
    return "".join(visible[: len(_SAMPLE)])


def optimize(task: Task, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """The font as WOFF2, with all of its characters or those that are asked for."""
    options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True)
    with _opened(source) as font:
        wanted = _wanted(task.options) & set(font.getBestCmap() or {})
        if task.options.get("text") or task.options.get("unicodes"):
            if not wanted:
                raise RefusedError("unreadable", "it has none of these characters")
            subsetter = subset.Subsetter(options)
            subsetter.populate(unicodes=wanted)
            subsetter.subset(font)
        font.flavor = "woff2"
        font.save(target, reorderTables=False)
        return {"glyphs": font["maxp"].numGlyphs, "mimeType": "font/woff2"}


def _wanted(options: dict[str, Any]) -> set[int]:
    ranges = options.get("unicodes") or []
    codes = {ord(c) for c in options.get("text") or ""}
    return codes.union(*[range(first, last + 1) for first, last in ranges])
