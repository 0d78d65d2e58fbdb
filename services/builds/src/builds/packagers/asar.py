"""Electron's archive: a header that names each file, its place and its hashes, then the files."""

import hashlib
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from builds.packagers import zips
from builds.packagers.types import Content

BLOCK_BYTES = 4 << 20
_ALGORITHM = "SHA256"
_PIECE = 1 << 20
_ALIGNED = 4


def write(files: Mapping[str, Content], target: Path) -> None:
    """Write the archive: the same files make the same bytes."""
    ordered = sorted(files.items())
    with target.open("wb") as archive:
        archive.write(_head(msgspec.json.encode(_tree(ordered))))
        for _, content in ordered:
            with zips.opened(content) as source:
                shutil.copyfileobj(source, archive, _PIECE)


def _head(header: bytes) -> bytes:
    """The header as Chromium's pickles are: lengths in front, padded to whole words."""
    padded = header + bytes(-len(header) % _ALIGNED)
    inner = struct.pack("<II", _ALIGNED + len(padded), len(header)) + padded
    return struct.pack("<II", _ALIGNED, len(inner)) + inner


def _tree(ordered: list[tuple[str, Content]]) -> dict[str, Any]:
    root: dict[str, Any] = {"files": {}}
    offset = 0
    for path, content in ordered:
        *folders, name = path.split("/")
        here = root
        for folder in folders:
            here = here["files"].setdefault(folder, {"files": {}})
        bytes_of_it = zips.size(content)
        here["files"][name] = {
            "size": bytes_of_it,
            "integrity": _integrity(content),
            # a number that JavaScript could not hold
            "offset": str(offset),
        }
        offset += bytes_of_it
    return root


def _integrity(content: Content) -> dict[str, Any]:
    """The hash of the whole and of each block; the last block may be empty, as theirs is."""
    whole = hashlib.sha256()
    blocks = []
    with zips.opened(content) as source:
        while True:
            block = source.read(BLOCK_BYTES)
            whole.update(block)
            blocks.append(hashlib.sha256(block).hexdigest())
            if len(block) < BLOCK_BYTES:
                break
    return {
        "algorithm": _ALGORITHM,
        "hash": whole.hexdigest(),
        "blockSize": BLOCK_BYTES,
        "blocks": blocks,
    }
