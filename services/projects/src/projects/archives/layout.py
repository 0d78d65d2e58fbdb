"""The records of a zip archive, as APPNOTE.TXT has them, and how they are written."""

import struct

FOLDER_END = b"/"
END_MARK = b"PK\x05\x06"
END64_MARK = b"PK\x06\x06"
LOCATOR_MARK = b"PK\x06\x07"
CENTRAL_MARK = b"PK\x01\x02"
LOCAL_MARK = b"PK\x03\x04"
DESCRIPTOR_MARK = b"PK\x07\x08"

# mark, disk, disk of the directory, entries here, entries, bytes, offset, bytes of the comment
END = struct.Struct("<4s4H2LH")
# mark, bytes that follow, made by, needed, disk, disk of the directory, entries here, entries, ...
END64 = struct.Struct("<4sQ2H2L4Q")
# mark, disk, offset of the record above, disks
LOCATOR = struct.Struct("<4sLQL")
# mark, made by, needed, flags, method, time, date, crc, packed, size, lengths of name, extra and
# comment, disk, internal and external attributes, offset
CENTRAL = struct.Struct("<4s6H3L5H2L")
# mark, needed, flags, method, time, date, crc, packed, size, lengths of name and extra
LOCAL = struct.Struct("<4s5H3L2H")

ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
# it says after the bytes how many they were
DESCRIBED = 1 << 3
UTF8 = 1 << 11
# how hard a packer tried: nothing depends on it
EFFORT = 1 << 1 | 1 << 2

EXTRA64 = 1
EXTRA_NAME = 0x7075
FULL16 = 0xFFFF
FULL32 = 0xFFFFFFFF

_UNIX = 3 << 8
_VERSION = 20
_VERSION64 = 45
_PLAIN_FILE = 0o100644 << 16
# 1 January 1980, midnight: the oldest moment that there is
_TIME, _DATE = 0, 1 << 5 | 1


def local(name: bytes, flags: int, method: int, crc: int, packed: int, size: int) -> bytes:
    """What stands before an entry's bytes."""
    fields = (_VERSION, flags, method, _TIME, _DATE, crc, packed, size, len(name), 0)
    return LOCAL.pack(LOCAL_MARK, *fields) + name


def central(
    name: bytes, flags: int, method: int, crc: int, packed: int, size: int, *, offset: int
) -> bytes:
    """What the directory says of an entry."""
    needed, extra, told = _VERSION, b"", offset
    if offset >= FULL32:
        needed, extra, told = _VERSION64, struct.pack("<HHQ", EXTRA64, 8, offset), FULL32
    fields = (_UNIX | needed, needed, flags, method, _TIME, _DATE, crc, packed, size)
    lengths = (len(name), len(extra), 0, 0, 0)
    return CENTRAL.pack(CENTRAL_MARK, *fields, *lengths, _PLAIN_FILE, told) + name + extra


def ends(count: int, size: int, start: int) -> bytes:
    """What stands after a directory of ``count`` entries and ``size`` bytes at ``start``."""
    large = b""
    if count >= FULL16 or size >= FULL32 or start >= FULL32:
        fields = (END64.size - 12, _UNIX | _VERSION64, _VERSION64, 0, 0, count, count, size, start)
        large = END64.pack(END64_MARK, *fields)
        large += LOCATOR.pack(LOCATOR_MARK, 0, start + size, 1)
    told = min(count, FULL16)
    return large + END.pack(END_MARK, 0, 0, told, told, min(size, FULL32), min(start, FULL32), 0)
