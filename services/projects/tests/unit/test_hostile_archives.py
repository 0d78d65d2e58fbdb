"""Archives that nobody should unpack: each is refused, and the refusal names what is wrong."""

import struct
import zlib

import pytest
from services.projects.tests.zips import (
    Part,
    deflated,
    described,
    file_of,
    many,
    zipped,
    zipped64,
)

from projects.archives.reading import checked, contents
from projects.archives.types import Limits
from projects.errors import UnsafeArchiveError

LIMITS = Limits(entries_max=10, file_bytes_max=2_000_000, total_bytes_max=5_000_000, ratio_max=200)
GOOD = Part(b"good.txt", b"good")


def refused(archive):
    """What is said of an archive that is refused."""
    file = file_of(archive)
    with pytest.raises(UnsafeArchiveError) as caught:
        list(contents(file, checked(file, LIMITS)))
    assert (caught.value.status, caught.value.code) == (400, "UNSAFE_ARCHIVE")
    [detail] = caught.value.details
    return detail["entry"], detail["message"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"../evil", "../evil"),
        (b"a/../../evil", "a/../../evil"),
        (b"/etc/passwd", "/etc/passwd"),
        (b"//host/share", "//host/share"),
        (b"C:/windows", "C:/windows"),
        (b"C:evil", "C:evil"),
        (b"..\\evil", "..\\evil"),
        (b"a\\b", "a\\b"),
        (b"a\0b", "a\\x00b"),
        (b"a.txt\0", "a.txt\\x00"),
        (b"a\nb", "a\\nb"),
        (b"a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\u202etxt.exe".encode(), "a\\u202etxt.exe"),
        (b"caf\xe9", "caf\\xe9"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"\xc0\xae\xc0\xae/evil", "\\xc0\\xae\\xc0\\xae/evil"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"", ""),
        (b"/", "/"),
        (b"./a", "./a"),
        (b"a//b", "a//b"),
        (b"a//", "a//"),
        (b"../", "../"),
        (b"con", "con"),
        (b"src/NUL.txt", "src/NUL.txt"),
        (b"LPT1/", "LPT1/"),
        (b"a.", "a."),
        (b"a:stream", "a:stream"),
        (b".git/config", ".git/config"),
        (b"x" * 256, "x" * 200),
        (b"a" * 60_000, "a" * 200),
    ],
)
def test_a_path_that_no_project_holds(name, shown):
    assert refused(zipped(GOOD, Part(name)))[0] == shown


@pytest.mark.parametrize("mode", [0o120777, 0o20666, 0o60666, 0o10666, 0o140755, 0o170000])
def test_a_link_a_device_a_pipe(mode):
    found = refused(zipped(GOOD, Part(b"link", b"/etc/passwd", mode=mode)))
    assert found == ("link", "It is neither a file nor a folder.")


@pytest.mark.parametrize("dos", [0x08, 0x400])
def test_a_link_or_a_volume_of_windows(dos):
    assert refused(zipped(GOOD, Part(b"link", b"x", mode=0, dos=dos)))[0] == "link"


@pytest.mark.parametrize(
    "part",
    [
        Part(b"a", mode=0o40755),
        Part(b"a", mode=0, dos=16),
        Part(b"a/", mode=0o100644),
        Part(b"a/", b"hidden", mode=0o40755),
        Part(b"a/", b"", mode=0o40755, method=8, packed=deflated(b"hidden")),
        Part(b"a/", mode=0o40755, local={"crc": 1}, central={"crc": 1}),
    ],
)
def test_what_is_a_file_and_a_folder(part):
    assert refused(zipped(GOOD, part))[0] in {"a", "a/"}


@pytest.mark.parametrize(
    "names",
    [
        (b"a", b"a"),
        (b"a", b"A"),
        (b"a/b", b"A/B"),
        ("ß".encode(), b"ss"),
        ("\u00e9".encode(), "e\u0301".encode()),
        (b"a", b"a/"),
        (b"a/", b"a/"),
        (b"a", b"a/b"),
        (b"A/b", b"a"),
        (b"a/b/c", b"a/b"),
    ],
)
def test_two_of_one_name(names):
    for order in (names, reversed(names)):
        parts = [Part(name, mode=0) for name in order]
        assert refused(zipped(GOOD, *parts))[0] in {name.decode() for name in names}


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("name", b"othe.txt"),
        ("name", b"other-length"),
        ("crc", 1),
        ("size", 3),
        ("size", 5),
        ("packed", 3),
        ("packed", 5),
        ("method", 8),
        ("flags", 2048),
        ("flags", 8),
        ("flags", 1),
    ],
)
def test_headers_that_differ(said, value):
    for part in (
        Part(b"name.txt", b"data", local={said: value}),
        Part(b"name.txt", b"data", central={said: value}),
        Part(b"name.txt", b"data", method=8, local={said: 0 if said == "method" else value}),
    ):
        assert refused(zipped(GOOD, part, Part(b"last")))[1]


@pytest.mark.parametrize("flag", [1, 1 << 6, 1 << 13])
def test_what_is_encrypted(flag):
    assert refused(zipped(GOOD, Part(b"a", b"x", flags=flag))) == ("a", "It is encrypted.")


@pytest.mark.parametrize("flag", [1 << 4, 1 << 5, 1 << 7, 1 << 10, 1 << 12, 1 << 14, 1 << 15])
def test_what_is_packed_in_ways_unknown(flag):
    assert refused(zipped(GOOD, Part(b"a", b"x", flags=flag)))[0] == "a"


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 95, 98, 99, 65_535])
def test_methods_that_are_not_taken(method):
    found = refused(zipped(GOOD, Part(b"a", b"x", method=method)))
    assert found == ("a", f"Its compression method, {method}, is not taken.")


def _said(**more):
    return {"local": more, "central": more}


@pytest.mark.parametrize(
    "part",
    [
        Part(b"a", b"data", **_said(crc=1)),
        Part(b"a", b"data", **_said(size=3)),
        Part(b"a", b"data", **_said(size=3, packed=3)),
        Part(b"a", b"data", **_said(size=5, packed=5)),
        Part(b"a", b"data" * 99, method=8, **_said(size=395)),
        Part(b"a", b"data" * 99, method=8, **_said(size=397)),
        Part(b"a", b"data" * 99, method=8, **_said(size=0, crc=0)),
        Part(b"a", b"data" * 99, method=8, **_said(crc=1)),
        Part(b"a", b"data", method=8, packed=deflated(b"data") + b"hidden"),
        Part(b"a", b"data", method=8, packed=deflated(b"data")[:-1]),
        Part(b"a", b"data", method=8, packed=deflated(b"data") * 2),
        Part(b"a", b"data", method=8, packed=b"\xff\xff\xff\xff"),
        Part(b"a", b"data", method=8, packed=b""),
        Part(b"a", b"data", method=8, packed=zlib.compress(b"data")),
        Part(b"a", b"", method=8, packed=b""),
        # one who says that there is little, and unpacks to much
        Part(b"a", b"", method=8, packed=deflated(bytes(50_000_000)), **_said(size=1_000)),
    ],
)
def test_bytes_that_are_not_what_is_said_of_them(part):
    assert refused(zipped(GOOD, part, Part(b"last")))[0] == "a"


def test_a_bomb():
    found = refused(zipped(GOOD, Part(b"bomb", bytes(1_500_000), method=8)))
    assert found == ("bomb", "It unpacks to far more than it is.")


def test_a_bomb_of_many_pieces():
    parts = [Part(b"%d" % n, bytes(900_000), method=8) for n in range(5)]
    assert refused(zipped(*parts)) == (None, "It unpacks to far more than it is.")


def test_a_bomb_whose_pieces_are_one():
    """All entries are the same bytes: their headers lie one inside the other."""
    packed = deflated(bytes(1_000_000))
    parts = [Part(b"%d" % n, b"", method=8, packed=b"") for n in range(5)]
    last = Part(b"5", bytes(1_000_000), method=8, packed=packed)
    assert refused(zipped(*parts, last))[1]
    same = Part(b"a", b"x" * 1_000, central={"offset": 0})
    assert refused(zipped(Part(b"a", b"x" * 1_000), same))[1]
    inside = Part(b"b", b"data", central={"offset": 20})
    assert refused(zipped(GOOD, inside)) == ("good.txt", "It overlaps with another entry.")


def test_what_is_too_large():
    large = refused(zipped(GOOD, Part(b"a", b"x" * 2_000_001)))
    assert large == ("a", "It is over 2000000 bytes.")
    each = [Part(b"%d" % n, bytes(range(256)) * 7_000) for n in range(3)]
    assert refused(zipped(*each)) == ("2", "All in all it is over 5000000 bytes.")


@pytest.mark.parametrize("count", [11, 65_535, 65_536, 1_000_000])
def test_too_many_entries(count):
    assert refused(many(count)) == (None, "It has more than 10 entries.")


@pytest.mark.parametrize("count", [0, 1, 3, 65_535])
def test_a_count_that_lies(count):
    assert refused(zipped(GOOD, Part(b"b"), here=count, count=count))[1]
    assert refused(zipped(GOOD, Part(b"b"), here=2, count=count))[1]


def test_a_count_that_says_little_of_much():
    archive = many(50_000)
    small = archive.replace(struct.pack("<QQ", 50_000, 50_000), struct.pack("<QQ", 5, 5))
    assert refused(small) == (None, "What it says of its directory does not hold.")


@pytest.mark.parametrize(
    "end", [{"disk": 1}, {"directory_disk": 1}, {"size": 1}, {"start": 1}, {"start": 0}]
)
def test_a_last_record_that_lies(end):
    assert refused(zipped(GOOD, **end))[0] is None


@pytest.mark.parametrize(
    ("record", "locator", "end"),
    [
        ({"count": 2}, {}, {}),
        ({"count": 2, "here": 2}, {}, {}),
        ({"count": 0, "here": 0}, {}, {}),
        ({"count": 2**63, "here": 2**63}, {}, {}),
        ({"size": 2**63}, {}, {}),
        ({"start": 2**63}, {}, {}),
        ({"start": 1}, {}, {}),
        ({"length": 45}, {}, {}),
        ({"disk": 1}, {}, {}),
        ({"other": 1}, {}, {}),
        ({"mark": b"PK\6\5"}, {}, {}),
        ({}, {"offset": 0}, {}),
        ({}, {"offset": 2**63}, {}),
        ({}, {"disk": 1}, {}),
        ({}, {"disks": 2}, {}),
        ({}, {"mark": b"PK\6\5"}, {}),
        ({}, {}, {"count": 2, "here": 2}),
        ({}, {}, {"size": 10}),
        ({}, {}, {"start": 10}),
    ],
)
def test_larger_records_that_lie(record, locator, end):
    assert refused(zipped64(GOOD, record=record, locator=locator, **end))[0] is None


_LARGE = struct.pack("<HHQ", 1, 8, 4)


@pytest.mark.parametrize(
    "central",
    [
        {"size": 0xFFFFFFFF},
        {"size": 0xFFFFFFFF, "extra": struct.pack("<HHQ", 1, 8, 2**63)},
        {"size": 0xFFFFFFFF, "extra": struct.pack("<HHL", 1, 4, 4)},
        {"size": 0xFFFFFFFF, "extra": _LARGE + _LARGE},
        {"extra": _LARGE},
        {"offset": 0xFFFFFFFF, "extra": struct.pack("<HHQ", 1, 8, 2**63)},
        {"extra": struct.pack("<HH", 1, 9)},
        {"disk": 1},
        {"disk": 0xFFFF, "extra": struct.pack("<HHL", 1, 4, 7)},
        {"offset": 2**31},
    ],
)
def test_larger_sizes_that_lie(central):
    assert refused(zipped(GOOD, Part(b"a", b"data", central=central)))[0] == "a"


def test_a_second_name_in_another_field():
    extra = struct.pack("<HHBL", 0x7075, 5 + 7, 1, 0) + b"../evil"
    assert refused(zipped(GOOD, Part(b"a", extra=extra))) == ("a", "It has two names.")


@pytest.mark.parametrize(
    "behind",
    [
        struct.pack("<3L", 1, 4, 4),
        b"PK\7\x08" + struct.pack("<3L", zlib.crc32(b"data"), 4, 5),
        b"PK\7\x08" + struct.pack("<3L", zlib.crc32(b"data"), 4, 4) + b"x",
        b"",
    ],
)
def test_a_description_behind_the_bytes_that_lies(behind):
    part = described(Part(b"a", b"data"))
    part.behind = behind
    assert refused(zipped(GOOD, part, Part(b"last")))[0] == "a"


def test_what_belongs_to_no_entry():
    assert refused(zipped(GOOD, before=b"MZ"))[0] is None
    assert refused(zipped(before=b"PK\3\4 hidden"))[0] is None
    hidden = zipped(Part(b"hidden", b"x"))[:40]
    assert refused(zipped(Part(b"a", b"x", behind=hidden), GOOD))[0] == "a"
    assert refused(zipped(GOOD, Part(b"a", b"x", behind=hidden)))[0] == "a"
    assert refused(zipped(GOOD) + b"\n")[0] is None
    assert refused(b"#!/bin/sh\n" + zipped(GOOD))[0] is None
    assert refused(zipped(GOOD) + zipped(Part(b"other")))[0] is None


def test_two_ends():
    inner = zipped(Part(b"evil", b"x"))[-22:]
    assert refused(zipped(GOOD, comment=inner)) == (None, "It has two ends.")


def test_what_is_cut_off_anywhere():
    archive = zipped(GOOD, Part(b"a/b", b"more" * 10, method=8))
    for length in range(len(archive)):
        assert refused(archive[:length])[0] is None


@pytest.mark.parametrize(
    "other", [b"", b"PK", b"PK\5\6", b"\x1f\x8b\x08" + bytes(100), b"Rar!\x1a\x07" + bytes(100)]
)
def test_what_is_no_zip_archive(other):
    assert refused(other) == (None, "This is no whole zip archive.")


def test_what_is_shown_of_a_name_is_of_one_line_and_short():
    entry, _ = refused(zipped(GOOD, Part(b"\x1b]0;\xe2\x80\xa8" + b"\0" * 1_000)))
    assert entry.isprintable()
    assert len(entry) < 1_000
