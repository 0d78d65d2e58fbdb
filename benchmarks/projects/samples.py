"""The archives that are sent: an honest one of any size, and two that must be refused."""

import random
import struct
import zipfile
import zlib
from pathlib import Path

_TEXT_BYTES = 20_000
_OTHER_BYTES = 1_000_000
_WORDS = 2_000
_ENTRIES = 1_000_000
_MEGABYTE = 1_000_000


def honest(path: Path, megabytes: int) -> int:
    """Write an archive whose files have so many bytes, half of them text; return how many files."""
    chance = random.Random(megabytes)  # noqa: S311 - test data, not a secret
    words = ["".join(chance.choices("abcdefghijklmnop", k=8)) for _ in range(_WORDS)]
    texts = megabytes * _MEGABYTE // 2 // _TEXT_BYTES
    others = megabytes * _MEGABYTE // 2 // _OTHER_BYTES
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(texts):
            text = " ".join(chance.choices(words, k=_TEXT_BYTES // 9))
            archive.writestr(f"src/{number % 50}/{number}.ts", text)
        for number in range(others):
            archive.writestr(f"art/{number}.bin", chance.randbytes(_OTHER_BYTES))
    return texts + others


def many(path: Path) -> None:
    """Write an archive of a million empty files."""
    name = struct.Struct("8s")
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, name.size, 0)
    central = struct.pack(
        "<4s6H3L5H", b"PK\1\2", 788, 20, 0, 0, 0, 33, 0, 0, 0, name.size, *[0] * 4
    )
    each = len(local) + name.size
    directory = bytearray()
    with path.open("wb") as file:
        for number in range(_ENTRIES):
            called = b"%08d" % number
            file.write(local + called)
            directory += central + struct.pack("<LL", 0, number * each) + called
        start = _ENTRIES * each
        file.write(directory)
        record = (44, 45, 45, 0, 0, _ENTRIES, _ENTRIES, len(directory), start)
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", *record))
        file.write(struct.pack("<4sLQL", b"PK\6\7", 0, start + len(directory), 1))
        full = (0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", *full))


def bomb(path: Path) -> None:
    """Write an archive that unpacks to a thousand times its size."""
    with zipfile.ZipFile(
        path, "w", zipfile.ZIP_DEFLATED, compresslevel=zlib.Z_BEST_COMPRESSION
    ) as a:
        a.writestr("bomb", bytes(25 * _MEGABYTE))
