"""A diff turns the old text into the new one, and touches little."""

import random

from hypothesis import given
from hypothesis import strategies as st

from collab.documents.diff import edits


def applied(old, changes):
    """The text after ``changes``."""
    parts, at = [], 0
    for change in changes:
        assert change.at >= at
        parts += [old[at : change.at], change.inserted]
        at = change.at + change.removed
    return "".join([*parts, old[at:]])


_TEXTS = st.text(alphabet="ab\n\r😀é", max_size=80)


@given(_TEXTS, _TEXTS)
def test_it_turns_one_into_the_other(old, new):
    assert applied(old, edits(old, new)) == new


@given(st.text(max_size=200))
def test_the_same_text_needs_nothing(text):
    assert edits(text, text) == []


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_an_insertion_removes_nothing(front, back, middle):
    changes = edits(front + back, front + middle + back)
    assert sum(change.removed for change in changes) == 0
    assert sum(len(change.inserted) for change in changes) == len(middle)


def test_a_word_in_a_large_file_is_a_small_change():
    lines = [f"const value{number} = {number};\n" for number in range(20_000)]
    old = "".join(lines)
    lines[9_000] = lines[9_000].replace("const", "let")
    lines.insert(15_000, "// here\n")
    changes = edits(old, "".join(lines))
    assert applied(old, changes) == "".join(lines)
    assert sum(change.removed + len(change.inserted) for change in changes) < 20


def test_moved_blocks_leave_the_rest_alone():
    dice = random.Random(3)  # noqa: S311 - the same dice in every run
    lines = [f"{number} {dice.random()}\n" for number in range(3_000)]
    old = "".join(lines)
    new = "".join(lines[:500] + lines[1_500:] + lines[500:1_500])
    changes = edits(old, new)
    assert applied(old, changes) == new
    assert sum(change.removed for change in changes) < len(old) / 2


def test_texts_without_anything_in_common_are_replaced():
    old, new = "ab\n" * 5_000, "xyz\n" * 5_000
    assert applied(old, edits(old, new)) == new
