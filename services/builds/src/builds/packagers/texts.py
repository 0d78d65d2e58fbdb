"""Texts that packages are made of."""

from string import Template
from typing import Any

import msgspec

from builds.packagers.editions import template


def settings(value: dict[str, Any]) -> bytes:
    """A JSON file as people read it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def filled(name: str, /, **words: str) -> bytes:
    """A template with its words in place."""
    return Template(template(name)).substitute(words).encode()
