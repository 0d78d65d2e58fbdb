"""Who somebody is at a provider, and what becomes of that here."""

import re
import secrets
import unicodedata

import msgspec
from msgspec import ValidationError

from auth.accounts.schema import AvatarUrl, Email, Line, Username

_NAME_CHARS_MAX = 32
_LINE_CHARS_MAX = 100
_NAMES_NUMBERED = 3


class Source(msgspec.Struct, frozen=True):
    """A provider, as it was when it was asked."""

    name: str
    urls: dict[str, str]


class Profile(msgspec.Struct, frozen=True):
    """What a provider says of somebody. ``subject`` alone is theirs for ever."""

    subject: str
    email: str | None
    is_email_verified: bool
    login: str
    name: str
    picture: str | None


class OvertakenError(Exception):
    """Somebody else was quicker: it is worth looking again."""


def profile(
    subject: str,
    email: str | None,
    *,
    is_email_verified: bool,
    login: str | None,
    name: str | None,
    picture: str | None,
) -> Profile:
    """Take of a provider's word what an account can have; the rest is left out."""
    address = _fitting(email, Email)
    return Profile(
        subject,
        address,
        is_email_verified=is_email_verified and address is not None,
        login=login or "",
        name=_line(name or ""),
        picture=_fitting(picture, AvatarUrl),
    )


def _fitting(value: str | None, kind: object) -> str | None:
    try:
        fitting: str = msgspec.convert(value, kind)
    except ValidationError:
        return None
    return fitting


def _line(text: str) -> str:
    """A name on one line, as an account has it; nothing where there is none."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    line = " ".join(plain.split())[:_LINE_CHARS_MAX].rstrip()
    return _fitting(line, Line) or ""


def usernames(known: Profile) -> list[str]:
    """Names that an account may get, the best first. An address is nobody's name."""
    found: list[str] = []
    for text in (known.login, known.name):
        base = "" if "@" in text else _handle(text)
        if base:
            found.append(base)
            short = base[: _NAME_CHARS_MAX - 5].rstrip("-_")
            found += [f"{short}-{secrets.token_hex(2)}" for _ in range(_NAMES_NUMBERED)]
    return [*found, f"user-{secrets.token_hex(6)}"]


def _handle(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    handle = re.sub(r"[^A-Za-z0-9_]+", "-", ascii_only)[: _NAME_CHARS_MAX + 1]
    return _fitting(handle[:_NAME_CHARS_MAX].strip("-_"), Username) or ""


def is_same_address(one: str, other: str) -> bool:
    """Whether two addresses are one, whatever the case of their Latin letters.

    The database folds more than that: what it takes for the same may be somebody else's.
    """
    if one == other:
        return True
    return one.isascii() and other.isascii() and one.lower() == other.lower()
