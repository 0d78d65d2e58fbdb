"""What a browser calls itself, and what people call it."""

from functools import lru_cache

from ua_parser import parse

UNKNOWN = "unknown"
_NAMES_KEPT = 1024
_WORD_CHARS_MAX = 40


@lru_cache(_NAMES_KEPT)
def device_of(user_agent: str) -> str:
    """Name a device as its owner knows it: ``Firefox on Linux``, ``Mobile Safari on iOS``.

    What is no browser goes by its first word. The first call compiles expressions for a while.
    """
    found = parse(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    if not browser:
        first = user_agent.partition("/")[0].split()
        return first[0][:_WORD_CHARS_MAX] if first else UNKNOWN
    system = found.os.family if found.os else ""
    return f"{browser} on {system}" if system else browser
