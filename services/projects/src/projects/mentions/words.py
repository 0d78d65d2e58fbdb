"""Whole words and paths in texts: no part of a longer one counts."""

from collections.abc import Iterator
from string import ascii_letters, digits

_WORD = frozenset((ascii_letters + digits).encode())
_NAME = _WORD | frozenset(b"_-")
_SLASH, _DOT = b"/."


def lines(data: bytes, needle: bytes) -> Iterator[int]:
    """Tell the lines of a text in which a word or a path stands; a path is one with a slash."""
    is_whole = _is_path if _SLASH in needle else _is_word
    line, counted = 1, 0
    at = data.find(needle)
    while at >= 0:
        if is_whole(data, at, at + len(needle)):
            line += data.count(b"\n", counted, at)
            counted = at
            yield line
        at = data.find(needle, at + 1)


def _is_word(data: bytes, begin: int, end: int) -> bool:
    return _at(data, begin - 1) not in _WORD and _at(data, end) not in _WORD


def _is_path(data: bytes, begin: int, end: int) -> bool:
    """From a root or from here, or from above here; not from within another folder.

    A dot may end a sentence, and what comes after a blank is not certain to be of the name.
    """
    before, after = _at(data, begin - 1), _at(data, end)
    if before == _SLASH:
        if _at(data, begin - 2) in _NAME:
            return False
    elif before in _NAME or before == _DOT:
        return False
    if after == _DOT:
        return _at(data, end + 1) not in _NAME
    return after != _SLASH and after not in _NAME


def _at(data: bytes, place: int) -> int | None:
    return data[place] if 0 <= place < len(data) else None
