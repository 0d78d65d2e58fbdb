"""The version of a packager: a digest of all that it is made of, so that nobody forgets it."""

import hashlib
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_TEMPLATES = _HERE / "templates"
_MADE_OF = ("*.py", "templates/*")


@cache
def edition(name: str) -> str:
    """Return the version of the packager ``name``."""
    digest = hashlib.sha256()
    for path in sorted(p for pattern in _MADE_OF for p in _HERE.glob(pattern) if p.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_HERE)}\n{len(content)}\n".encode() + content)
    return f"{name}-{digest.hexdigest()[:16]}"


@cache
def template(name: str) -> str:
    """Return a text that packages are made with."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")
