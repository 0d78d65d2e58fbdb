"""From what a client says about a place to positions that stay with the text, and back."""

import base64
import binascii

import msgspec
from pycrdt import merge_updates

from collab.comments.schema import NewAnchor, Place
from collab.documents.document import digest_of
from collab.yjs import positions
from collab.yjs.log import text_of
from collab.yjs.positions import Places
from collab.yjs.varints import MalformedError
from common.errors import ConflictError, InvalidError

_QUOTE_UNITS_MAX = 1_000
_UNKNOWN = "The document has no such position, or not yet."


class Stretch(msgspec.Struct, frozen=True):
    """Two positions, and the text between them."""

    start: bytes
    end: bytes
    quote: str


def stretch(update: bytes, wanted: NewAnchor) -> Stretch:
    """Anchor what is wanted in a document; raises ``InvalidError`` and ``ConflictError``."""
    text = text_of(update)
    digest = digest_of(text)
    if wanted.hash is not None and wanted.hash != digest:
        raise ConflictError("The text is another one by now.", {"hash": digest})
    places = Places(update)
    if isinstance(wanted.start, str) and isinstance(wanted.end, str):
        start, end = _relative(places, wanted.start), _relative(places, wanted.end)
        kept = wanted.start, wanted.end
        first, last = (positions.decoded(base64.b64decode(one)).encoded() for one in kept)
    else:
        start, end = _offsets(places, wanted)
        first = places.at(start, is_behind=False).encoded()
        # behind the last character, so that what is typed there is not part of it
        last = places.at(end, is_behind=end > start).encoded()
    if end < start:
        raise InvalidError.of("anchor.end", "The end is before the start.")
    return Stretch(first, last, _between(text, start, min(end, start + _QUOTE_UNITS_MAX)))


def _offsets(places: Places, wanted: NewAnchor) -> tuple[int, int]:
    if wanted.line is not None and wanted.start is None and wanted.end is None:
        first = places.line_at(wanted.line)
        last = places.line_at(wanted.end_line or wanted.line)
        if first is None or last is None:
            raise InvalidError.of("anchor.line", "The text has no such line.")
        return first[0], last[1]
    if isinstance(wanted.start, int) and isinstance(wanted.end, int) and wanted.line is None:
        if max(wanted.start, wanted.end) > places.length:
            raise InvalidError.of("anchor.end", "The text is not that long.")
        return wanted.start, wanted.end
    message = "Give start and end, both relative positions or both offsets, or a line."
    raise InvalidError.of("anchor", message)


def _relative(places: Places, given: str) -> int:
    try:
        index = places.index(positions.decoded(base64.b64decode(given, validate=True)))
    except (MalformedError, binascii.Error) as exc:
        raise InvalidError.of("anchor", "This is no relative position in the text.") from exc
    if index is None:
        raise ConflictError(_UNKNOWN)
    return index


def _between(text: str, start: int, end: int) -> str:
    """Cut out what lies between two offsets in UTF-16 code units; half a character is none."""
    units = text.encode("utf-16-le")
    return units[2 * start : 2 * end].decode("utf-16-le", "ignore")


def where(places: Places, found: Stretch) -> Place | None:
    """Return where a stretch is now; ``None`` where nothing of it is left."""
    start = places.index(positions.decoded(found.start))
    end = places.index(positions.decoded(found.end))
    if start is None or end is None or (found.quote and end <= start):
        return None
    end = max(start, end)
    return Place(start, end, places.line(start), places.line(end))


def all_where(updates: list[bytes], wanted: list[Stretch]) -> list[Place | None]:
    """Return where many stretches of one document, made of ``updates``, are now."""
    # read once for all of them
    places = Places(merge_updates(*updates) if len(updates) > 1 else updates[0])
    return [where(places, one) for one in wanted]
