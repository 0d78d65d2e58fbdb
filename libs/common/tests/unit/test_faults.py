"""The faults of a body: each one, by the name the caller used."""

from typing import Annotated

import msgspec
import pytest

from common import faults


class Wanted(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A body."""

    user_name: Annotated[str, msgspec.Meta(min_length=1)]
    age: int = 0


def _fields(raw: bytes) -> list[str]:
    return [fault["field"] for fault in faults.in_body(raw, Wanted)]


def test_every_fault_is_found() -> None:
    assert _fields(b'{"userName": "", "age": "x", "role": "admin"}') == ["userName", "age", "role"]


def test_what_is_missing_is_named() -> None:
    assert _fields(b"{}") == ["userName"]


@pytest.mark.parametrize("raw", [b"", b"nope", b"[]", b'"x"', b'{"userName": "\xff"}', b"[" * 9999])
def test_what_is_no_object_is_one_fault(raw: bytes) -> None:
    assert _fields(raw) == [""]
