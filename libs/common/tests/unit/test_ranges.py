"""One range of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import ranges


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, "whole"),
        ("", "whole"),
        ("bytes=-", "whole"),
        ("bytes=0-0", (0, 0)),
        ("bytes=9-", (9, 9)),
        ("bytes=0-99", (0, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-99", (0, 9)),
        ("bytes=-0", "unsatisfiable"),
        ("bytes=10-", "unsatisfiable"),
        ("bytes=10-12", "unsatisfiable"),
        ("bytes=3-2", "whole"),
        ("bytes=0-1,3-4", "whole"),
        ("bytes=" + "9" * 30 + "-", "whole"),
    ],
)
def test_a_range_of_ten_bytes(header, span):
    assert ranges.wanted(header, 10) == span


@given(st.text(alphabet="bytes=0123456789-, "), st.integers(1, 50))
def test_a_range_lies_within_the_whole(header, size):
    span = ranges.wanted(header, size)
    if isinstance(span, tuple):
        first, last = span
        assert 0 <= first <= last < size
