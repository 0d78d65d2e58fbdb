"""Whether what is said of a file and what its bytes show can both be true."""

import msgspec

from assets.media import formats
from assets.types import Kind
from common.errors import UnsupportedMediaTypeError

# what a browser would run: it is never taken for anything else, nor anything else for it
ACTIVE = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "application/xml"})
_VAGUE = frozenset({"", formats.UNKNOWN, "binary/octet-stream", "text/plain"})
_ALIASES = {
    "text/xml": "application/xml",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/x-flac": "audio/flac",
    "font/sfnt": "font/ttf",
    "application/font-woff": "font/woff",
    "application/x-font-ttf": "font/ttf",
}
# containers that hold sound, or pictures and sound: their claim says which
_CONTAINERS = ("mp4", "webm", "ogg")


class Settled(msgspec.Struct, frozen=True):
    """What a file is taken for from now on."""

    mime_type: str
    kind: Kind


def settle(head: bytes, name: str, declared: str, wanted: Kind | None) -> Settled:
    """Decide what a file is; raises ``UnsupportedMediaTypeError`` where claim and bytes clash.

    ``declared`` is the sender's content type, ``wanted`` the kind of asset it asks for.
    """
    found = formats.sniffed(head, name)
    said = _canonical(declared)
    named = formats.by_name(name)
    for field, claim in (("contentType", said), ("name", named)):
        if claim is not None and not _agree(claim, found):
            raise _clash(field, claim, found)
    mime = _within_container(found, said or named)
    kind = formats.kind_of(mime)
    if wanted is not None and wanted not in {kind, "data"}:
        raise _clash("type", wanted, mime)
    return Settled(mime, wanted or kind)


def _canonical(declared: str) -> str | None:
    mime = declared.partition(";")[0].strip().lower()
    return None if mime in _VAGUE else _ALIASES.get(mime, mime)


def _agree(claim: str, found: str) -> bool:
    if claim == found:
        return True
    if found in ACTIVE or claim in ACTIVE:
        # an SVG picture is an XML document too
        return claim == "application/xml" and found == "image/svg+xml"
    claimed, shown = formats.kind_of(claim), formats.kind_of(found)
    if claimed in {"data", shown}:
        return True
    if claim not in formats.KNOWN:
        return shown == "data"
    return {claimed, shown} == {"audio", "video"} and _container(found) is not None


def _container(mime: str) -> str | None:
    subtype = mime.partition("/")[2]
    return subtype if subtype in _CONTAINERS else None


def _within_container(found: str, claim: str | None) -> str:
    """Take the claim's word for what is in a container."""
    if (
        claim not in formats.KNOWN
        or _container(found) is None
        or _container(claim) != _container(found)
    ):
        return found
    return claim


def _clash(field: str, claim: str, found: str) -> UnsupportedMediaTypeError:
    return UnsupportedMediaTypeError(
        "The bytes are not what they are said to be.",
        {"field": field, "declared": claim, "found": found},
    )


def refuse_contradiction(name: str, declared: str) -> None:
    """Refuse a name and a content type of which one would be run and the other would not.

    That can be said before a byte is sent; raises ``UnsupportedMediaTypeError``.
    """
    said, named = _canonical(declared), formats.by_name(name)
    if said is not None and named is not None and not _agree(said, named):
        raise _clash("contentType", said, named)
