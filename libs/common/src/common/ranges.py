"""One byte range of a whole (RFC 9110); several at once are answered with the whole."""

import re
from typing import Literal

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

type Span = tuple[int, int]


def wanted(header: str | None, size: int) -> Span | Literal["whole", "unsatisfiable"]:
    """Return the first and the last byte that ``header`` asks for."""
    found = _ONE.fullmatch(header.strip()) if header else None
    if found is None or not any(found.groups()):
        return "whole"
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last or size), size - 1)
        if last and int(last) < start:
            return "whole"
    else:
        start, end = max(size - int(last), 0), size - 1
    return (start, end) if start <= end else "unsatisfiable"
