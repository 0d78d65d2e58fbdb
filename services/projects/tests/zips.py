"""Archives made by hand: as their makers would, and as no honest maker would."""

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

_LOCAL = ("version", "flags", "method", "time", "date", "crc", "packed", "size", "name", "extra")
_END = ("disk", "directory_disk", "here", "count", "size", "start", "comment")


@dataclass
class Part:
    """An entry. ``local`` and ``central`` say otherwise in one of its two headers."""

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    dos: int = 0
    extra: bytes = b""
    packed: bytes | None = None
    behind: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        """What lies in the archive."""
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == 8 else self.data

    def said(self) -> dict[str, Any]:
        """What both headers say, unless one says otherwise."""
        return {
            "version": 20,
            "flags": self.flags,
            "method": self.method,
            "time": 0,
            "date": 33,
            "crc": zlib.crc32(self.data),
            "packed": len(self.bytes),
            "size": len(self.data),
            "name": self.name,
            "extra": self.extra,
        }


def deflated(data: bytes) -> bytes:
    """The bytes, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zipped(*parts: Part, before: bytes = b"", comment: bytes = b"", **end: Any) -> bytes:
    """An archive of the parts; ``end`` says otherwise in its last record."""
    made, directory = bytearray(before), bytearray()
    for part in parts:
        offset = len(made)
        made += _local(part.said() | part.local) + part.bytes + part.behind
        directory += _central(part, {"offset": offset, "disk": 0} | part.said() | part.central)
    start = len(made)
    made += directory
    said = dict.fromkeys(_END, 0) | {"here": len(parts), "count": len(parts)}
    said |= {"size": len(directory), "start": start, "comment": len(comment)} | end
    return bytes(made) + struct.pack("<4s4H2LH", b"PK\5\6", *said.values()) + comment


def zipped64(*parts: Part, record: dict[str, Any], locator: dict[str, Any], **end: Any) -> bytes:
    """The same with the larger records, which may say otherwise."""
    plain = zipped(*parts)
    _, _, _, _, count, size, start, _ = struct.unpack("<4s4H2LH", plain[-22:])
    about = {"mark": b"PK\6\6", "length": 44, "made": 45, "needed": 45, "disk": 0, "other": 0}
    about |= {"here": count, "count": count, "size": size, "start": start} | record
    where = {"mark": b"PK\6\7", "disk": 0, "offset": start + size, "disks": 1} | locator
    full = {"disk": 0, "directory_disk": 0, "here": 65_535, "count": 65_535}
    full |= {"size": 0xFFFFFFFF, "start": 0xFFFFFFFF, "comment": 0} | end
    return (
        plain[:-22]
        + struct.pack("<4sQ2H2L4Q", *about.values())
        + struct.pack("<4sLQL", *where.values())
        + struct.pack("<4s4H2LH", b"PK\5\6", *full.values())
    )


def described(part: Part, form: str = "<3L", mark: bytes = b"PK\7\x08") -> Part:
    """The part with its sizes behind its bytes, as who writes a stream has to."""
    told = (zlib.crc32(part.data), len(part.bytes), len(part.data))
    part.flags |= 8
    part.local |= {"crc": 0, "packed": 0, "size": 0}
    part.behind = mark + struct.pack(form, *told)
    return part


def many(count: int) -> bytes:
    """An archive of so many empty files, made quickly."""
    one = Part(b"0000000")
    local, central = _local(one.said()), _central(one, {"offset": 0, "disk": 0} | one.said())
    names = [b"%07d" % number for number in range(count)]
    made = b"".join(local[:30] + name for name in names)
    starts = (struct.pack("<L", number * len(local)) for number in range(count))
    rows = zip(starts, names, strict=True)
    directory = b"".join(central[:42] + start + name for start, name in rows)
    record = (44, 45, 45, 0, 0, count, count, len(directory), len(made))
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *record)
    large += struct.pack("<4sLQL", b"PK\6\7", 0, len(made) + len(directory), 1)
    full = (0, 0, 65_535, 65_535, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return made + directory + large + struct.pack("<4s4H2LH", b"PK\5\6", *full)


def _local(said: dict[str, Any]) -> bytes:
    numbers = [said[name] for name in _LOCAL[:8]]
    lengths = (len(said["name"]), len(said["extra"]))
    rest: bytes = said["name"] + said["extra"]
    return struct.pack("<4s5H3L2H", b"PK\3\4", *numbers, *lengths) + rest


def _central(part: Part, said: dict[str, Any]) -> bytes:
    numbers = [said[name] for name in _LOCAL[:8]]
    comment: bytes = said.get("comment", b"")
    lengths = (len(said["name"]), len(said["extra"]), len(comment))
    more = (said["disk"], 0, part.mode << 16 | part.dos, said["offset"])
    fixed = struct.pack("<4s6H3L5H2L", b"PK\1\2", 3 << 8 | 20, *numbers, *lengths, *more)
    rest: bytes = said["name"] + said["extra"] + comment
    return fixed + rest


def file_of(archive: bytes) -> io.BytesIO:
    """The archive as a file."""
    return io.BytesIO(archive)
