"""Which form of the bytes a request gets."""

from typing import Any

import pytest

from assets.delivery import negotiation
from assets.delivery.types import Asked, Held
from common.ids import uuid7

SHA256 = "a" * 64


def chosen(accepts: str, *, mime: str = "text/plain", size: int = 5_000, **asked: Any):
    held = Held(uuid7(), size, mime, is_public=True, is_deleted=False)
    given = Asked(sha256=SHA256, accept_encoding=accepts, **asked)
    return negotiation.coding(given, held, 1_024, 100_000)


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("", None),
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("GZIP", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0.5, gzip;q=0.5", "br"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("zstd, deflate", None),
        ("br;q=2", None),
        ("br ; q=0.8", "br"),
        (",,;q=1,br", "br"),
        ("x" * 9_000, None),
    ],
)
def test_the_client_decides_and_then_we_do(accepts, coding):
    assert chosen(accepts) == coding


def test_only_what_shrinks_and_is_neither_small_nor_huge():
    assert chosen("br", mime="image/png") is None
    assert chosen("br", mime="image/svg+xml") == "br"
    assert chosen("br", size=1_023) is None
    assert chosen("br", size=100_001) is None


def test_a_part_is_of_the_plain_form_unless_the_coded_one_is_named():
    assert chosen("br", byte_range="bytes=0-1") is None
    assert chosen("br, gzip", byte_range="bytes=0-1", if_range=f'"{SHA256}-gzip"') == "gzip"
    assert chosen("br", byte_range="bytes=0-1", if_range=f'"{SHA256}-gzip"') is None
    assert chosen("br", byte_range="bytes=0-1", is_head=True) == "br"


@pytest.mark.parametrize(
    ("header", "is_weak", "holds"),
    [
        ('"a"', True, True),
        ('W/"a"', True, True),
        ('W/"a"', False, False),
        ('"b", "a"', False, True),
        ('"b"', True, False),
        ("*", False, True),
        ('"a', True, False),
    ],
)
def test_entity_tags_are_compared_strongly_and_weakly(header, is_weak, holds):
    assert negotiation.names(header, '"a"', is_weak=is_weak) is holds
