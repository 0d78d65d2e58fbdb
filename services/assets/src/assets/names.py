"""What an asset may be called: one name that every editor, machine and archive can hold."""

import re
import unicodedata

from common.errors import InvalidError

BYTES_MAX = 255
# separators; controls and NUL; marks that turn the direction of text, and so hide an extension
_FORBIDDEN = re.compile(
    r"[/\\\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def checked(name: str, field: str = "name") -> str:
    """Return ``name`` in Unicode's composed form; raises ``InvalidError`` for ``field``."""
    composed = unicodedata.normalize("NFC", name)
    fault = _fault(composed)
    if fault:
        raise InvalidError.of(field, fault)
    return composed


def _fault(name: str) -> str | None:
    if not name or name in {".", ".."}:
        return "Give it a name."
    if _FORBIDDEN.search(name):
        return "A name has no separators, control characters or marks of direction."
    if len(name.encode()) > BYTES_MAX:
        return f"A name has at most {BYTES_MAX} bytes of UTF-8."
    if name != name.strip() or name.endswith("."):
        return "A name neither begins nor ends with a space, nor ends with a dot."
    if _DEVICE.fullmatch(name):
        return "That is the name of a device on Windows."
    return None


def key(name: str) -> str:
    """The name without its case: two that differ in case alone are the same to some machines."""
    return unicodedata.normalize("NFC", name.casefold())
