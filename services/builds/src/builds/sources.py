"""Digests of our own sources, for whatever has to be another when they are."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(home: Path, patterns: Iterable[str]) -> str:
    """Return one hash over the files below ``home`` that match, with their paths."""
    whole = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in home.glob(pattern) if p.is_file()}):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(home)}\n{len(content)}\n".encode() + content)
    return whole.hexdigest()
