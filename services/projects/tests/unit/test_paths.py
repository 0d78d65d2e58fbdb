"""Paths: what every editor and machine can hold, and nothing else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidError, PayloadTooLargeError
from projects.errors import InvalidPathError
from projects.files.types import Encoding, checked_path, content_of, decoded, folded

_BAD = [
    "",
    "/",
    "/etc/passwd",
    "a//b",
    "a/",
    ".",
    "..",
    "a/../b",
    "./a",
    "..\\a",
    "a\\b",
    "C:/x",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\u202eb",
    "a\u200bb",
    "a\u2028b",
    "x" * 256,
    "/".join(["x" * 100] * 5) + "y",
    "é" * 251,
    "con",
    "CON",
    "aux.txt",
    "src/NUL",
    "com1",
    "lpt9.log",
    "COM¹",
    "a.",
    "a ",
    " a",
    "a/b. /c",
    "a?b",
    "a*b",
    'a"b',
    "a<b",
    "a|b",
    "a:b",
    ".git",
    "src/.GIT/config",
    unicodedata.normalize("NFD", "é.txt"),
    "a\ud800b",
]
_GOOD = [
    "a",
    "src/main.ts",
    ".gitignore",
    "конец/файл.txt",
    "絵/日本.png",
    "é.txt",
    "console.ts",
    "aux_/x",
    "a b/c d.txt",
    "-rf",
    "$HOME",
    "%2e%2e",
    "x" * 255,
    "🎮.md",
]


@pytest.mark.parametrize("path", _BAD)
def test_a_bad_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathError) as caught:
        checked_path(path)
    assert caught.value.code == "INVALID_PATH"


@pytest.mark.parametrize("path", _GOOD)
def test_a_good_path_is_taken_as_it_is(path: str) -> None:
    assert checked_path(path) == path


@given(st.text(max_size=40))
def test_what_is_taken_can_be_a_relative_file_name(path: str) -> None:
    try:
        checked_path(path)
    except InvalidPathError:
        return
    segments = path.split("/")
    assert not path.startswith("/")
    assert not {"", ".", ".."}.intersection(segments)
    assert len(path.encode()) <= 500


def test_paths_that_differ_in_case_fold_to_the_same() -> None:
    assert folded("Src/Ärger.TS") == folded("src/ärger.ts")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(b"", "utf-8"), ("ünï".encode(), "utf-8"), (b"\xff", "base64"), (b"a\0b", "base64")],
)
def test_content_is_shown_as_text_where_it_is_text(data: bytes, encoding: str) -> None:
    assert content_of(data, 100).encoding == encoding


def test_content_has_a_limit() -> None:
    with pytest.raises(PayloadTooLargeError) as caught:
        content_of(b"12345", 4)
    assert caught.value.details == [{"limit": 4}]


@pytest.mark.parametrize(
    ("text", "encoding"), [("%%%", "base64"), ("\u202e", "base64"), ("a\ud800", "utf-8")]
)
def test_content_that_is_not_what_it_says_is_refused(text: str, encoding: Encoding) -> None:
    with pytest.raises(InvalidError):
        decoded(text, encoding)
