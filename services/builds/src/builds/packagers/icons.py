"""Pictures for games that bring none: a sign to play, in a colour of their own."""

import colorsys
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from builds.packagers import png
from builds.packagers.png import Colour
from builds.packagers.types import About, Game

LARGE = 512
SIZES = (192, LARGE)
_SPLASH = 2732
_WHITE = (255, 255, 255)
_ROWS_OF_ONE = 4


def standard(about: About, pixels: int) -> bytes:
    """The icon of a game without one."""
    return _drawn(_colour(about), pixels)


@functools.lru_cache(maxsize=64)
def _drawn(base: Colour, pixels: int) -> bytes:
    shades = [_between(base, _WHITE, step, _ROWS_OF_ONE) for step in range(_ROWS_OF_ONE + 1)]
    return png.paletted(pixels, pixels, 8, shades, _triangle(pixels))


def splash(about: About) -> bytes:
    """A square of the game's colour, as large as any screen."""
    row = bytes((_SPLASH + 7) // 8)
    return png.paletted(_SPLASH, _SPLASH, 1, [_colour(about)], (row for _ in range(_SPLASH)))


def background(about: About) -> str:
    """The game's colour, as style sheets write it."""
    return "#{:02x}{:02x}{:02x}".format(*_colour(about))


def largest(game: Game) -> bytes | Path:
    """The game's icon in the best quality that there is."""
    found = max(game.about.icons, key=lambda icon: icon.pixels, default=None)
    return standard(game.about, LARGE) if found is None else game.files[found.path]


def _colour(about: About) -> Colour:
    hue = hashlib.sha256(about.app_id.encode()).digest()[0] / 256
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.62, 0.55)
    return round(red * 255), round(green * 255), round(blue * 255)


def _between(one: Colour, other: Colour, step: int, steps: int) -> Colour:
    red, green, blue = (a + (b - a) * step // steps for a, b in zip(one, other, strict=True))
    return red, green, blue


def _triangle(pixels: int) -> Iterator[bytes]:
    """Rows with a triangle that points to the right; its edge is smoothed by finer rows."""
    left, top, height = pixels * 23 // 64, pixels // 4, pixels // 2
    for y in range(pixels):
        ends = sorted(
            left + _reach(2 * (y * _ROWS_OF_ONE + part) + 1, top * 8, height * 8)
            for part in range(_ROWS_OF_ONE)
        )
        row = bytes(left)
        before = left
        for shade, end in zip(range(_ROWS_OF_ONE, 0, -1), ends, strict=True):
            row += bytes([shade]) * (end - before)
            before = end
        yield row + bytes(pixels - len(row))


def _reach(y: int, top: int, height: int) -> int:
    """How many pixels a fine row of the triangle is long; counted in eighths of a pixel."""
    off = abs(2 * (y - top) - height)
    return max(0, height - off) * 7 // 8 // 8
