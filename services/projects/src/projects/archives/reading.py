"""Reading an archive that a stranger made: everything is checked before anything is unpacked.

What two programs could read differently is refused: an entry is where its header is and nowhere
else, both of its headers say the same, and every byte of the archive belongs to something.
"""

import stat
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import BinaryIO

from projects.archives import layout
from projects.archives.directory import Directory, located, sizes, walked
from projects.archives.layout import LOCAL
from projects.archives.types import (
    DEFLATED,
    RATIO_FROM_BYTES,
    STORED,
    Entry,
    Header,
    Limits,
    unsafe,
)
from projects.errors import InvalidPathError
from projects.files.types import checked_path, folded

_STRETCH = 262_144
_KNOWN_FLAGS = layout.EFFORT | layout.DESCRIBED | layout.UTF8
_DOS_VOLUME, _DOS_FOLDER, _DOS_LINK = 0x08, 0x10, 0x400
_OTHER = "Its two headers say different things."


def checked(file: BinaryIO, limits: Limits) -> list[Entry]:
    """The entries of an archive, in the order of their bytes; raises ``UnsafeArchiveError``."""
    directory = located(file, limits.entries_max)
    archive_bytes, total = file.seek(0, 2), 0
    headers: list[tuple[Header, str]] = []
    for header in walked(file, directory):
        headers.append((header, _path(header)))
        _refuse_kind(header)
        _refuse_size(header, limits)
        if header.offset >= directory.start:
            raise unsafe(header.name, "It is not where the directory says.")
        total += header.size
        if total > limits.total_bytes_max:
            raise unsafe(header.name, f"All in all it is over {limits.total_bytes_max} bytes.")
    if _is_bomb(total, archive_bytes, limits.ratio_max):
        raise unsafe(None, "It unpacks to far more than it is.")
    _refuse_twins(headers)
    return list(_placed(file, headers, directory))


def contents(file: BinaryIO, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
    """Each file and its bytes, one after the other; raises ``UnsafeArchiveError``.

    No more is unpacked than an entry says it has, and it is what its checksum says.
    """
    for entry in entries:
        data = _content(file, entry)
        if not entry.is_folder:
            yield entry, data


def _path(header: Header) -> str:
    """The path of a file or folder; macOS takes names apart, which here are one way only."""
    name = header.name
    try:
        text = unicodedata.normalize("NFC", name.decode())
    except UnicodeDecodeError as exc:
        raise unsafe(name, "Its name is not UTF-8.") from exc
    try:
        return checked_path(text.removesuffix("/"))
    except InvalidPathError as exc:
        raise unsafe(name, str(exc)) from exc


def _refuse_kind(header: Header) -> None:
    """Only files and folders, packed in a way that everybody knows."""
    name, is_folder = header.name, header.name.endswith(layout.FOLDER_END)
    if header.flags & layout.ENCRYPTED:
        raise unsafe(name, "It is encrypted.")
    if header.flags & ~_KNOWN_FLAGS:
        raise unsafe(name, "It is packed in a way that is not known here.")
    if header.method not in {STORED, DEFLATED}:
        raise unsafe(name, f"Its compression method, {header.method}, is not taken.")
    kind = stat.S_IFMT(header.attributes >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or header.attributes & _DOS_LINK:
        raise unsafe(name, "It is neither a file nor a folder.")
    said_folder = kind == stat.S_IFDIR or bool(header.attributes & _DOS_FOLDER)
    if (said_folder and not is_folder) or (is_folder and kind == stat.S_IFREG):
        raise unsafe(name, "It is said to be a file and a folder.")
    if header.attributes & _DOS_VOLUME:
        raise unsafe(name, "It is neither a file nor a folder.")
    if is_folder and (header.size or header.crc):
        raise unsafe(name, "It is a folder, and has content.")


def _refuse_size(header: Header, limits: Limits) -> None:
    if header.size > limits.file_bytes_max:
        raise unsafe(header.name, f"It is over {limits.file_bytes_max} bytes.")
    if header.method == STORED and header.packed != header.size:
        raise unsafe(header.name, "What it says of its size does not hold.")
    if _is_bomb(header.size, header.packed, limits.ratio_max):
        raise unsafe(header.name, "It unpacks to far more than it is.")


def _is_bomb(size: int, packed: int, ratio_max: int) -> bool:
    return size >= RATIO_FROM_BYTES and size > ratio_max * packed


def _refuse_twins(headers: list[tuple[Header, str]]) -> None:
    """No name comes twice, not in another case either, nor is a file where a folder is."""
    # with the lowest of all characters between its names, what is in a folder comes right after it
    ordered = sorted(((folded(path).replace("/", "\0"), h) for h, path in headers), key=_first)
    for (before, one), (after, other) in pairwise(ordered):
        if before == after:
            raise unsafe(other.name, "Another entry has that name, perhaps in another case.")
        is_folder = one.name.endswith(layout.FOLDER_END)
        if not is_folder and after.startswith(before + "\0"):
            raise unsafe(other.name, "A file is where its folder is to be.")


def _first(pair: tuple[str, Header]) -> str:
    return pair[0]


def _placed(
    file: BinaryIO, headers: list[tuple[Header, str]], directory: Directory
) -> Iterator[Entry]:
    """Find each entry's bytes; they lie one after the other, from the first byte on."""
    headers.sort(key=lambda pair: pair[0].offset)
    nexts = chain((header.offset for header, _ in headers[1:]), [directory.start])
    if (headers[0][0].offset if headers else directory.start) != 0:
        raise unsafe(None, "Something stands before its first entry.")
    for (header, path), end in zip(headers, nexts, strict=False):
        start = _start(file, header, end)
        rest = end - start - header.packed
        if rest < 0:
            raise unsafe(header.name, "It overlaps with another entry.")
        file.seek(end - rest)
        if not _ends_well(header, rest, file.read(min(rest, 24))):
            raise unsafe(header.name, "After it comes what belongs to no entry.")
        yield Entry(
            path,
            header.name.endswith(layout.FOLDER_END),
            header.method,
            header.crc,
            header.packed,
            header.size,
            start,
        )


def _start(file: BinaryIO, header: Header, end: int) -> int:
    """Where the bytes of an entry begin, if both its headers say the same."""
    name = header.name
    if header.offset + LOCAL.size + len(name) > end:
        raise unsafe(name, "It overlaps with another entry.")
    file.seek(header.offset)
    fields = LOCAL.unpack(file.read(LOCAL.size))
    mark, _, flags, method, _, _, crc, packed, size, name_length, extra_length = fields
    start: int = header.offset + LOCAL.size + name_length + extra_length
    if mark != layout.LOCAL_MARK or name_length != len(name) or start > end:
        raise unsafe(name, _OTHER)
    local_name, extra = file.read(name_length), file.read(extra_length)
    size, packed, _, _ = sizes(name, extra, size, packed)
    true = (header.crc, header.packed, header.size)
    told = (crc, packed, size)
    if header.flags & layout.DESCRIBED:
        # it may leave open here what it says behind the bytes
        told = (crc or true[0], packed or true[1], size or true[2])
    same_flags = flags & ~layout.EFFORT == header.flags & ~layout.EFFORT
    if local_name != name or not same_flags or method != header.method or told != true:
        raise unsafe(name, _OTHER)
    return start


def _ends_well(header: Header, length: int, rest: bytes) -> bool:
    """Nothing follows an entry, or a description that says what its headers do."""
    if not header.flags & layout.DESCRIBED:
        return length == 0
    told = (header.crc, header.packed, header.size)
    forms = [struct.pack("<3L", *told), struct.pack("<LQQ", *told)]
    return length == len(rest) and rest.removeprefix(layout.DESCRIPTOR_MARK) in forms


def _content(file: BinaryIO, entry: Entry) -> bytes:
    file.seek(entry.start)
    try:
        data = _inflated(file, entry) if entry.method == DEFLATED else file.read(entry.size)
    except zlib.error as exc:
        raise unsafe(entry.path.encode(), "Its bytes cannot be unpacked.") from exc
    if len(data) != entry.size or zlib.crc32(data) != entry.crc:
        raise unsafe(entry.path.encode(), "Its bytes are not those that it says it has.")
    return data


def _inflated(file: BinaryIO, entry: Entry) -> bytes:
    """Unpack an entry; what would be more than it says, or goes on behind its end, is refused."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data, left = bytearray(), entry.packed
    while not inflater.eof:
        piece = inflater.unconsumed_tail
        if not piece:
            piece = file.read(min(left, _STRETCH))
            left -= len(piece)
        # one byte more than there may be: it is how a lie shows
        more = inflater.decompress(piece, entry.size - len(data) + 1)
        data += more
        if len(data) > entry.size or not (piece or more):
            break
    if left or inflater.unused_data or not inflater.eof:
        raise unsafe(entry.path.encode(), "Its bytes are not those that it says it has.")
    return bytes(data)
