"""A form read in pieces of any length."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.uploads.form import Limits, received
from common.errors import InvalidError, PayloadTooLargeError

LIMITS = Limits(
    files_max=3,
    file_bytes_max=2_000,
    total_bytes_max=10_000,
    field_bytes_max=100,
    spool_bytes_max=64,
)
FIELDS = frozenset({"projectId"})


def form(*parts):
    """A form of (name, filename or None, content)."""
    body = b""
    for name, filename, content in parts:
        more = f'; filename="{filename}"' if filename is not None else ""
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


async def pieces(body, length):
    for at in range(0, len(body), length):
        yield body[at : at + length]


async def read(body, length=1_000, limits=LIMITS):
    """Read a form; return its fields, and of each file its name, hash and content."""
    async with received(pieces(body, length), "b", "files", FIELDS, limits) as given:
        files = [(f.name, f.sha256, f.spool.file.read()) for f in given.files]
        return given.fields, files, [f.spool for f in given.files]


@settings(deadline=None)
@given(st.binary(max_size=1_500), st.integers(1, 700))
async def test_what_was_sent_is_what_is_read(content, length):
    body = form(("projectId", None, b"p"), ("files", "a.bin", content), ("files", "b", b"x"))
    fields, files, spools = await read(body, length)
    assert fields == {"projectId": "p"}
    assert files == [
        ("a.bin", hashlib.sha256(content).hexdigest(), content),
        ("b", hashlib.sha256(b"x").hexdigest(), b"x"),
    ]
    assert all(spool.file.closed for spool in spools)


@pytest.mark.parametrize(
    "body",
    [
        form(("files", "a", b"x" * 2_001)),
        form(("files", "a", b"x"), ("files", "b", b"x"), ("files", "c", b""), ("files", "d", b"")),
        form(("projectId", None, b"x" * 101)),
        form(*[("files", "a", b"x" * 1_900)] * 3, ("projectId", None, b"y" * 90)) + b"z" * 5_000,
        form(*[("projectId", None, b"")] * 30),
    ],
)
async def test_too_much_is_refused(body):
    with pytest.raises((PayloadTooLargeError, InvalidError)):
        await read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        form(("files", "a", b"x"))[:-8],
        form(("unknown", None, b"x")),
        form(("projectId", None, b"x"), ("projectId", None, b"y")),
        form(("projectId", None, b"\xff")),
        b"--b\r\nno header\r\n\r\n\r\n--b--\r\n",
    ],
)
async def test_what_is_no_whole_form_is_refused(body):
    with pytest.raises(InvalidError):
        await read(body)
