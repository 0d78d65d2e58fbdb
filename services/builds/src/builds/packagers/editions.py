"""The version of a packager: a digest of all that it is made of, so that nobody forgets it."""

from functools import cache
from pathlib import Path

from builds import sources

_HERE = Path(__file__).parent
_TEMPLATES = _HERE / "templates"
_MADE_OF = ("*.py", "templates/*")


@cache
def edition(name: str) -> str:
    """Return the version of the packager ``name``."""
    return f"{name}-{sources.digest(_HERE, _MADE_OF)[:16]}"


@cache
def template(name: str) -> str:
    """Return a text that packages are made with."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")
