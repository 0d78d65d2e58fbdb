"""What an asset may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import names
from common.errors import InvalidError


@given(st.text())
def test_a_name_is_refused_or_can_be_held_anywhere(name):
    try:
        kept = names.checked(name)
    except InvalidError:
        return
    assert names.checked(kept) == kept
    assert 0 < len(kept.encode()) <= names.BYTES_MAX
    assert not set(kept) & set("/\\\0\n\r\u202e")
    assert kept not in {".", ".."}


@pytest.mark.parametrize(("one", "other"), [("A.png", "a.PNG"), ("Straße", "STRASSE"), ("Ä", "ä")])
def test_names_that_differ_in_case_alone_have_one_key(one, other):
    assert names.key(one) == names.key(other)
