"""A moment of a project's history, as callers name it: a number of it, or a time."""

import re
from datetime import UTC, datetime

from common.errors import InvalidError

type Moment = int | datetime

_SEQ = re.compile(r"[0-9]{1,18}")
_FAULT = "A moment is a number of the project's history, or a time (RFC 3339)."


def moment_of(text: str) -> Moment:
    """What ``?at=`` says; raises ``InvalidError``."""
    if _SEQ.fullmatch(text):
        return int(text)
    try:
        # a query's "+" is a blank where it was not escaped
        time = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as exc:
        raise InvalidError.of("at", _FAULT) from exc
    if time.tzinfo is None:
        raise InvalidError.of("at", "A time needs its offset from UTC, or a Z.")
    try:
        return time.astimezone(UTC)
    except OverflowError as exc:
        raise InvalidError.of("at", _FAULT) from exc
