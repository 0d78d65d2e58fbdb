"""Which form and which part of a file a request gets."""

import pytest

from builds.play import forms
from builds.play.forms import Asked
from builds.types import Page

_PLAIN = Page(100, "ab")
_TWINS = Page(100, "ab", encodings={"br": 20, "gzip": 30})
_MADE = Page(100, "ab", coding="br")


def _form(page, accept_encoding, **more):
    form = forms.answer(page, Asked(accept_encoding=accept_encoding, **more)).form
    return form.coding, form.size, form.etag, form.end


@pytest.mark.parametrize(
    ("accepted", "form"),
    [
        ("", (None, 100, '"ab"', "")),
        ("identity", (None, 100, '"ab"', "")),
        ("zstd", (None, 100, '"ab"', "")),
        ("br;q=0, gzip;q=0", (None, 100, '"ab"', "")),
        ("gzip, deflate, br, zstd", ("br", 20, '"ab-br"', ".br")),
        ("br;q=0.5, gzip", ("gzip", 30, '"ab-gzip"', ".gz")),
        ("GZIP", ("gzip", 30, '"ab-gzip"', ".gz")),
        ("*", ("br", 20, '"ab-br"', ".br")),
        ("*;q=0.2, br;q=0", ("gzip", 30, '"ab-gzip"', ".gz")),
        ("br;q=0.3, identity;q=0.8", (None, 100, '"ab"', "")),
        ("br;q=x", (None, 100, '"ab"', "")),
    ],
)
def test_a_copy_is_sent_to_who_takes_it(accepted, form):
    assert _form(_TWINS, accepted) == form
    assert _form(_PLAIN, accepted) == (None, 100, '"ab"', "")


@pytest.mark.parametrize("accepted", ["", "gzip", "br", "identity", "br;q=0"])
def test_what_is_encoded_in_itself_is_sent_as_it_is_to_everybody(accepted):
    assert _form(_MADE, accepted) == ("br", 100, '"ab"', "")


def test_a_part_is_one_of_the_files_own_bytes():
    part = forms.answer(_TWINS, Asked(accept_encoding="br", byte_range="bytes=2-6"))
    assert (part.status, part.first, part.end, part.form.coding) == (206, 2, 7, None)
    made = forms.answer(_MADE, Asked(accept_encoding="br", byte_range="bytes=-10"))
    assert (made.status, made.first, made.end, made.form.coding) == (206, 90, 100, "br")


@pytest.mark.parametrize(
    "wanted",
    [
        {"byte_range": "bytes=0-1,5-6"},
        {"byte_range": "lines=0-1"},
        {"byte_range": "bytes=5-2"},
        {"byte_range": "bytes=0-1", "if_range": '"old"'},
        {"byte_range": "bytes=0-1", "if_range": 'W/"ab"'},
        {"byte_range": "bytes=0-1", "if_range": '"ab-br"'},
        {"byte_range": "bytes=0-1", "if_range": "Sat, 29 Oct 1994 19:43:31 GMT"},
    ],
)
def test_where_no_part_can_be_had_the_whole_is_sent(wanted):
    answer = forms.answer(_TWINS, Asked(accept_encoding="br", **wanted))
    assert (answer.status, answer.first, answer.end, answer.form.coding) == (200, 0, 20, "br")


def test_a_part_that_is_not_there_is_refused():
    for wanted in ("bytes=100-", "bytes=999-1000", "bytes=-0"):
        assert forms.answer(_PLAIN, Asked(byte_range=wanted)).status == 416


@pytest.mark.parametrize(
    ("held", "accepted", "status"),
    [
        ('"ab"', "", 304),
        ('"ab"', "br", 200),
        ('"ab-br"', "br", 304),
        ('"ab-br"', "gzip", 200),
        ('"x", W/"ab-gzip"', "gzip", 304),
        ("*", "br", 304),
        ('"x"', "", 200),
    ],
)
def test_who_holds_the_form_that_would_be_sent_is_told_so(held, accepted, status):
    asked = Asked(accept_encoding=accepted, if_none_match=held)
    assert forms.answer(_TWINS, asked).status == status
