"""Where an archive's directory is, and what is in it; nothing is believed that is said once."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from projects.archives import layout
from projects.archives.layout import CENTRAL, END, END64, FULL16, FULL32, LOCATOR
from projects.archives.types import Header, unsafe

_COMMENT_MAX = 0xFFFF
_BROKEN = "This is no whole zip archive."
_LIES = "What it says of its directory does not hold."


class Directory(msgspec.Struct, frozen=True):
    """Where the directory begins, how many bytes it has, and how many entries it says it has."""

    start: int
    size: int
    count: int


def located(file: BinaryIO, entries_max: int) -> Directory:
    """Find the directory; raises ``UnsafeArchiveError``, also where it has too many entries.

    Only the end of the archive is read, however large the directory is.
    """
    end, fields = _end(file)
    _, disk, directory_disk, here, count, size, start, _ = fields
    large = _end64(file, end)
    if large is None:
        found, stop = Directory(start, size, count), end
    else:
        found, stop = large, end - LOCATOR.size - END64.size
        told = (
            count in {found.count, FULL16}
            and size in {found.size, FULL32}
            and start in {found.start, FULL32}
        )
        if not told:
            raise unsafe(None, _LIES)
    if disk or directory_disk or here != count or found.start + found.size != stop:
        raise unsafe(None, _LIES)
    if found.count > entries_max:
        raise unsafe(None, f"It has more than {entries_max} entries.")
    return found


def _end(file: BinaryIO) -> tuple[int, tuple[int, ...]]:
    """Where the last record is, and its fields: there is one that ends where the file does."""
    size = file.seek(0, 2)
    tail_start = max(0, size - END.size - _COMMENT_MAX)
    file.seek(tail_start)
    tail = file.read()
    ends: list[tuple[int, tuple[int, ...]]] = []
    at = tail.find(layout.END_MARK)
    while 0 <= at <= len(tail) - END.size:
        fields = END.unpack_from(tail, at)
        if at + END.size + fields[-1] == len(tail):
            ends.append((tail_start + at, fields))
        at = tail.find(layout.END_MARK, at + 1)
    if len(ends) != 1:
        raise unsafe(None, "It has two ends." if ends else _BROKEN)
    return ends[0]


def _end64(file: BinaryIO, end: int) -> Directory | None:
    """What the larger record says, where there is one."""
    at = end - LOCATOR.size
    if at < 0:
        return None
    file.seek(at)
    mark, disk, offset, disks = LOCATOR.unpack(file.read(LOCATOR.size))
    if mark != layout.LOCATOR_MARK:
        return None
    if disk or disks > 1 or offset != at - END64.size:
        raise unsafe(None, _LIES)
    file.seek(offset)
    mark, length, _, _, disk, directory_disk, here, count, size, start = END64.unpack(
        file.read(END64.size)
    )
    if mark != layout.END64_MARK or length != END64.size - 12 or disk or directory_disk:
        raise unsafe(None, _LIES)
    if here != count:
        raise unsafe(None, _LIES)
    return Directory(start, size, count)


def walked(file: BinaryIO, directory: Directory) -> Iterator[Header]:
    """What the directory says of each entry; it holds just so many and nothing else."""
    file.seek(directory.start)
    left = directory.size
    for _ in range(directory.count):
        if left < CENTRAL.size:
            raise unsafe(None, _LIES)
        fields = CENTRAL.unpack(file.read(CENTRAL.size))
        name_length, extra_length, comment_length = fields[10:13]
        left -= CENTRAL.size + name_length + extra_length + comment_length
        if fields[0] != layout.CENTRAL_MARK or left < 0:
            raise unsafe(None, _LIES)
        name, extra = file.read(name_length), file.read(extra_length)
        file.seek(comment_length, 1)
        yield _header(fields, name, extra)
    if left:
        raise unsafe(None, _LIES)


def _header(fields: tuple[int, ...], name: bytes, extra: bytes) -> Header:
    _, _, _, flags, method, _, _, crc, packed, size, *_, disk, _, attributes, offset = fields
    size, packed, offset, disk = sizes(name, extra, size, packed, offset, disk)
    if disk:
        raise unsafe(name, "It is on another disk.")
    for kind, data in _extras(name, extra):
        # a version and a checksum come first
        if kind == layout.EXTRA_NAME and data[5:] != name:
            raise unsafe(name, "It has two names.")
    return Header(name, flags, method, crc, packed, size, offset, attributes)


def sizes(
    name: bytes, extra: bytes, size: int, packed: int, offset: int = 0, disk: int = 0
) -> tuple[int, int, int, int]:
    """The sizes, offset and disk of a header: those that are too large stand in its extra field."""
    values = [size, packed, offset, disk]
    full = (FULL32, FULL32, FULL32, FULL16)
    large = [data for kind, data in _extras(name, extra) if kind == layout.EXTRA64]
    wanted = [at for at in range(4) if large and values[at] == full[at]]
    form = struct.Struct("<" + "".join("QQQL"[at] for at in wanted))
    if len(large) > 1 or (large and form.size != len(large[0])):
        raise unsafe(name, "What it says of its size does not hold.")
    for at, value in zip(wanted, form.unpack(large[0]) if large else (), strict=True):
        values[at] = value
    return values[0], values[1], values[2], values[3]


def _extras(name: bytes, extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields of a header; fewer bytes than a field has are padding."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if at + length > len(extra):
            raise unsafe(name, "Its extra fields are broken.")
        yield kind, extra[at : at + length]
        at += length
