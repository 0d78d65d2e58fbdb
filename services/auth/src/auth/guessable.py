"""Passwords that are guessed first: common ones, and what an account shows of itself."""

import re
from functools import cache
from importlib.resources import files

_APART = re.compile(r"[\W_]+")


def fault(password: str, email: str, username: str) -> str | None:
    """Say why a password is one of the first that are tried; ``None`` where it is not.

    Whoever guesses tries words in small letters and in large ones alike.
    """
    folded = password.lower()
    if folded in _common():
        return "This password is one of the most common ones."
    rest = folded
    for name in (email, username, email.partition("@")[0]):
        if name:
            rest = rest.replace(name.lower(), "")
    if rest != folded and not _APART.sub("", rest):
        return "A password is more than the account's name."
    return None


@cache
def _common() -> frozenset[str]:
    # read when the first password is chosen: not every process that verifies has to know it
    listed = files("auth").joinpath("data", "common_passwords.txt")
    return frozenset(listed.read_text(encoding="ascii").splitlines())
