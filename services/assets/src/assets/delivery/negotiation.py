"""Which form of the bytes a request gets, and whether it has that already (RFC 9110)."""

import re

from assets.delivery.types import Asked, Coding, Held

# what shrinks; pictures, sounds and most fonts are compressed in themselves
_SHRINKING = frozenset(
    {
        "application/json",
        "application/wasm",
        "application/xml",
        "application/xhtml+xml",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "model/gltf+json",
        "model/obj",
    }
)
# by preference, where the client has none
_CODINGS: tuple[Coding, ...] = ("br", "gzip")
_ITEM = re.compile(r"([a-z0-9*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?")


def coding(asked: Asked, held: Held, smallest: int, largest: int) -> Coding | None:
    """Return the coding to send in; ``None``: as it is.

    A part is one of the bytes as they are, which every client can put together, unless the request
    itself names the coded form.
    """
    if not (smallest <= held.size <= largest and shrinks(held.mime_type)):
        return None
    accepted = _accepted(asked.accept_encoding)
    if asked.byte_range is None or asked.is_head:
        return accepted[0] if accepted else None
    named = (one for one in accepted if asked.if_range == tag(asked.sha256, one))
    return next(named, None)


def shrinks(mime_type: str) -> bool:
    """Whether a type is worth to be compressed."""
    return mime_type.startswith("text/") or mime_type in _SHRINKING


def _accepted(header: str) -> list[Coding]:
    """Return the codings that the client takes and does not like less than none, best first."""
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        if found := _ITEM.fullmatch(item.strip()):
            weights[found[1]] = float(found[2] or 1)
    anything = weights.get("*", 0.0)
    plain = weights.get("identity", 0.0)
    wanted = [(weights.get(one, anything), one) for one in _CODINGS]
    # the sort is stable: of two that are liked alike the first of ours
    wanted.sort(key=lambda item: -item[0])
    return [one for weight, one in wanted if weight > 0 and weight >= plain]


def tag(sha256: str, coded: Coding | None) -> str:
    """Return the strong entity tag of a form: the hash, and the coding of one that is coded."""
    return f'"{sha256}"' if coded is None else f'"{sha256}-{coded}"'


def names(header: str, etag: str, *, is_weak: bool) -> bool:
    """Whether a list of entity tags has ``etag``, by the weak or the strong comparison."""
    tags = [one.strip() for one in header.split(",")]
    if is_weak:
        tags = [one.removeprefix("W/") for one in tags]
    return etag in tags or "*" in tags
