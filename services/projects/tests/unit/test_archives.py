"""Archives: what is written is read again, and the same tree is the same bytes."""

import hashlib
import io
import struct
import zipfile
from typing import override

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from services.projects.tests.zips import Part, described, file_of, zipped, zipped64

from projects.archives import layout
from projects.archives.directory import located, walked
from projects.archives.reading import checked, contents
from projects.archives.types import Limits
from projects.archives.writing import Writer
from projects.errors import InvalidPathError, UnsafeArchiveError
from projects.files.types import checked_path, folded, folders

LIMITS = Limits(
    entries_max=100_000, file_bytes_max=30_000_000, total_bytes_max=60_000_000, ratio_max=200
)


def _is_path(text):
    try:
        checked_path(text)
    except InvalidPathError:
        return False
    return True


NAMES = st.text(st.sampled_from("abAB.é木-_ \U0001f600"), min_size=1, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join).filter(_is_path)
DATA = st.binary(max_size=200) | st.text(max_size=50).map(str.encode)
# a file for each path: its bytes, and whether they are text
TREES = st.dictionaries(PATHS, st.tuples(DATA, st.booleans()), max_size=12)


class Stream(io.RawIOBase):
    """What may be written to, and neither read nor sought in."""

    def __init__(self):
        self.all = b""

    @override
    def writable(self):
        """It may."""
        return True

    @override
    def write(self, piece):
        """Take the next piece."""
        self.all += bytes(piece)
        return len(piece)


def holds(tree):
    """Whether a project could hold the tree."""
    folds = [folded(path) for path in tree]
    above = {folder for fold in folds for folder in folders(fold)}
    return len(set(folds)) == len(folds) and not above & set(folds)


def written(tree):
    """An archive of the tree, and what its writer says is its hash."""
    file = io.BytesIO()
    writer = Writer(file)
    for path in sorted(tree, key=str.encode):
        data, is_text = tree[path]
        writer.add(path, data, is_text=is_text)
    digest = writer.finish()
    assert writer.size == len(file.getvalue())
    return file.getvalue(), digest


def read(archive, limits=LIMITS):
    """The files of an archive."""
    file = file_of(archive)
    return {entry.path: data for entry, data in contents(file, checked(file, limits))}


@example({})
@example({"empty": (b"", True), "a/b.bin": (b"\0\1", False), "é.txt": (b"x" * 5_000, True)})
@given(TREES.filter(holds))
def test_what_is_written_is_read_again(tree):
    archive, digest = written(tree)
    assert digest == hashlib.sha256(archive).digest()
    assert read(archive) == {path: data for path, (data, _) in tree.items()}


@example({"a.txt": (b"x" * 5_000, True), "木/é": (b"\0" * 100, False)})
@given(TREES.filter(holds))
def test_others_read_what_is_written(tree):
    archive, _ = written(tree)
    with zipfile.ZipFile(file_of(archive)) as other:
        assert other.testzip() is None
        assert {i.filename: other.read(i) for i in other.infolist()} == {
            path: data for path, (data, _) in tree.items()
        }
        assert other.namelist() == sorted(tree, key=str.encode)


@given(TREES.filter(holds), st.randoms())
def test_the_same_tree_is_the_same_bytes(tree, chance):
    shuffled = list(tree.items())
    chance.shuffle(shuffled)
    assert written(dict(shuffled)) == written(tree)


@given(TREES.filter(holds), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_what_others_write_is_read(tree, method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as other:
        for path, (data, _) in tree.items():
            other.writestr(path, data)
    assert read(file.getvalue()) == {path: data for path, (data, _) in tree.items()}


@given(TREES.filter(holds), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_what_others_write_as_a_stream_is_read(tree, method):
    stream = Stream()
    with zipfile.ZipFile(stream, "w", method) as other:
        for path, (data, _) in tree.items():
            with other.open(path, "w", force_zip64=len(data) % 2 == 0) as entry:
                entry.write(data)
    assert read(stream.all) == {path: data for path, (data, _) in tree.items()}


def test_text_is_packed_and_other_bytes_are_not():
    archive, _ = written({"a.txt": (b"text " * 100, True), "b.png": (b"text " * 100, False)})
    with zipfile.ZipFile(file_of(archive)) as other:
        text, picture = other.infolist()
    assert (text.compress_type, picture.compress_type) == (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)
    assert {i.date_time for i in (text, picture)} == {(1980, 1, 1, 0, 0, 0)}
    assert {i.external_attr >> 16 for i in (text, picture)} == {0o100644}


def test_text_that_shrinks_to_nothing_is_no_bomb():
    tree = {f"{number}.txt": (b"0," * 2_000_000, True) for number in range(3)}
    assert read(written(tree)[0]) == {path: data for path, (data, _) in tree.items()}


def test_many_files_need_the_larger_record():
    tree = {f"{number:05}": (b"", True) for number in range(65_536)}
    archive, _ = written(tree)
    assert layout.END64_MARK in archive
    assert len(read(archive)) == 65_536
    with zipfile.ZipFile(file_of(archive)) as other:
        assert len(other.infolist()) == 65_536


def test_an_archive_may_be_larger_than_four_gigabytes():
    entry = layout.central(b"far", 0, 0, 0, 1, 1, offset=5_000_000_000)
    # the directory of such an archive, after as many bytes as fit into a test
    [header] = walked(file_of(entry), located(file_of(entry + layout.ends(1, len(entry), 0)), 1))
    assert (header.name, header.offset, header.size) == (b"far", 5_000_000_000, 1)
    end = layout.ends(1, 46, 5_000_000_000)
    assert struct.unpack_from("<Q", end, 48) == (5_000_000_000,)
    assert struct.unpack_from("<Q", end, 56 + 8) == (5_000_000_046,)


@pytest.mark.parametrize("paths", [["b", "a"], ["a", "a"], ["木", "é"]])
def test_files_are_written_in_order(paths):
    writer = Writer(io.BytesIO())
    writer.add(paths[0], b"", is_text=True)
    with pytest.raises(ValueError, match="order"):
        writer.add(paths[1], b"", is_text=True)


@pytest.mark.parametrize(
    "archive",
    [
        zipped(Part(b"a/", mode=0o40755, dos=16), Part(b"a/b", b"x")),
        zipped(Part(b"a/", mode=0, method=8), Part(b"a/b", b"x", method=8)),
        zipped(Part(b"a/b", b"x", mode=0)),
        zipped(Part(b"a/b", b"x", mode=0o100777)),
        zipped(described(Part(b"a/b", b"x"))),
        zipped(described(Part(b"a/b", b"x", method=8), mark=b"")),
        zipped(described(Part(b"a/b", b"x", method=8), "<LQQ")),
        zipped(Part(b"a/b", b"x", extra=struct.pack("<HHLB", 0x5455, 5, 0, 0))),
        # padding that aligns bytes
        zipped(Part(b"a/b", b"x", local={"extra": b"\0\0\0"})),
        zipped(Part(b"a/b", b"x", flags=2048)),
        zipped(Part(b"a/b", b"x"), comment=b"of commit 1234"),
        zipped(Part(b"a/b", b"x", central={"comment": b"a comment"})),
        zipped64(Part(b"a/b", b"x"), record={}, locator={}),
        zipped64(Part(b"a/b", b"x"), record={}, locator={}, here=1, count=1),
    ],
)
def test_what_honest_programs_write_is_read(archive):
    assert read(archive) == {"a/b": b"x"}


def test_a_name_that_macos_took_apart_is_put_together():
    assert read(zipped(Part("e\u0301.txt".encode(), b"x"))) == {"\u00e9.txt": b"x"}


@example(0, b"")
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_who_changes_bytes_changes_no_content(at, mutation):
    tree = {"a.txt": (b"some text, some text", True), "b/é.bin": (b"\0\1\2", False), "c": (b"", 1)}
    archive, _ = written(tree)
    changed = archive[:at] + mutation + archive[at + len(mutation) :]
    try:
        found = read(changed)
    except UnsafeArchiveError as exc:
        [detail] = exc.details
        assert set(detail) == {"entry", "message"}
    else:
        assert found == {path: data for path, (data, _) in tree.items()}


@given(st.integers(0, 400), st.integers(0, 400), st.binary(max_size=30))
def test_who_cuts_or_puts_in_something_changes_no_content(first, last, between):
    tree = {"a.txt": (b"some text, some text", True), "b/é.bin": (b"\0\1\2", False), "c": (b"", 1)}
    archive, _ = written(tree)
    changed = archive[:first] + between + archive[last:]
    try:
        found = read(changed)
    except UnsafeArchiveError:
        return
    assert changed == archive
    assert found == {path: data for path, (data, _) in tree.items()}
