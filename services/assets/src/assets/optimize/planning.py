"""What is to be made of an asset, by what is asked for and what it is."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from assets.optimize.types import Plan, Preset, Step, Wanted
from assets.studio import service as studio
from assets.types import Stored
from common.errors import InvalidError, UnsupportedMediaTypeError

_FORMATS: dict[Preset, tuple[str, ...]] = {
    "web": ("webp", "avif"),
    "mobile": ("webp", "avif"),
    "lossless": ("webp", "png"),
}
_QUALITY: dict[Preset, int | None] = {"web": None, "mobile": 60, "lossless": None}
_SIDE: dict[Preset, int | None] = {"web": None, "mobile": 1_024, "lossless": None}
_BITRATE: dict[Preset, int] = {"web": 96_000, "mobile": 48_000, "lossless": 256_000}
_CODES_MAX = 0x10FFFF
_NAME_MAX = 1_000

_BELONG: dict[str, frozenset[str]] = {
    "pictures": frozenset({"formats", "quality", "width", "height"}),
    "sounds": frozenset({"bitrate"}),
    "fonts": frozenset({"text", "unicodes"}),
    "models": frozenset(),
}


def planned(asset: Stored, wanted: Wanted) -> Plan:
    """Return what to make; raises for what cannot be made of such an asset."""
    medium = studio.medium_of(asset.mime_type)
    if medium not in _PLANNERS or medium is None:
        raise UnsupportedMediaTypeError(
            "There is nothing to optimise in a file of this type.",
            {"field": "", "found": asset.mime_type},
        )
    _refuse_strange(wanted, _BELONG[medium])
    steps = _PLANNERS[medium](wanted)
    return Plan(asset.sha256, asset.mime_type, asset.size, medium, steps)


def _refuse_strange(wanted: Wanted, own: frozenset[str]) -> None:
    for name, value in msgspec.structs.asdict(wanted).items():
        if value is not None and name != "preset" and name not in own:
            raise InvalidError.of(name, "This is not for a file of this type.")


def _of_picture(wanted: Wanted) -> list[Step]:
    preset = wanted.preset
    is_lossless = preset == "lossless"
    side = _SIDE[preset]
    given: dict[str, Any] = {
        "width": wanted.width or (None if wanted.height else side),
        "height": wanted.height or (None if wanted.width else side),
        "quality": wanted.quality or _QUALITY[preset],
    }
    if is_lossless and (wanted.width or wanted.height or wanted.quality):
        raise InvalidError.of("preset", "What is lossless has all of its pixels as they are.")
    steps = []
    for kind in dict.fromkeys(wanted.formats or _FORMATS[preset]):
        if is_lossless and kind == "avif":
            raise InvalidError.of("formats", "AVIF is not made without loss here.")
        steps.append(_step({**given, "format": kind, "lossless": is_lossless or None}))
    return steps


def _of_sound(wanted: Wanted) -> list[Step]:
    return [_step({"codec": "opus", "bitrate": wanted.bitrate or _BITRATE[wanted.preset]})]


def _of_font(wanted: Wanted) -> list[Step]:
    ranges = sorted(_range(text) for text in wanted.unicodes or ())
    text = "".join(sorted(set(wanted.text or "")))
    return [_step({"flavor": "woff2", "text": text or None, "unicodes": ranges or None})]


def _of_model(wanted: Wanted) -> list[Step]:
    return [_step({"level": wanted.preset})]


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.removeprefix("U+").partition("-")
    found = (int(first, 16), int(last or first, 16))
    if found[0] > found[1] or found[1] > _CODES_MAX:
        raise InvalidError.of("unicodes", f"{text} is no stretch of characters.")
    return found


def _step(options: dict[str, Any]) -> Step:
    """The options that are set, and a name that is the same whenever they are."""
    used = {name: value for name, value in options.items() if value is not None}
    name = msgspec.json.encode(used, order="sorted")
    # it is part of a key, which cannot be of any length
    short = name.decode() if len(name) <= _NAME_MAX else hashlib.sha256(name).hexdigest()
    return Step(f"optimize:{short}", used)


_PLANNERS: dict[str, Callable[[Wanted], list[Step]]] = {
    "pictures": _of_picture,
    "sounds": _of_sound,
    "fonts": _of_font,
    "models": _of_model,
}
