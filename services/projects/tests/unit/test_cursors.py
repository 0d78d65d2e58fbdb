"""Cursors: what was told is read again, and nothing else is."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import CursorInvalidError, InvalidError
from projects import cursors
from projects.cursors import Place

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100)
_WANTED = st.lists(_TEXT, max_size=3)
_TIME = st.datetimes(timezones=st.just(UTC))
_ID = UUID("0190a000-0000-7000-8000-00000000000b")
_PLACE = Place("Pong", _ID)


def told(at: object, *wanted: str) -> str:
    """The cursor that goes on after ``at``."""
    cursor = cursors.fed([at, at], 1, lambda row: row, *wanted).meta.next_cursor
    assert cursor is not None
    return cursor


def read(cursor: str | None, *wanted: str) -> Place[str] | None:
    """The place that a cursor names."""
    return cursors.position(cursor, cursors.place(cursors.text), *wanted)


@given(name=_TEXT, row=st.uuids(), wanted=_WANTED)
def test_a_place_by_name_is_read_as_it_was_told(name: str, row: UUID, wanted: list[str]) -> None:
    place = Place(name, row)
    assert read(told(place, *wanted), *wanted) == place


@given(at=_TIME, row=st.uuids(), wanted=_WANTED)
def test_a_place_by_time_keeps_its_microseconds(at: datetime, row: UUID, wanted: list[str]) -> None:
    place = Place(at, row)
    time = cursors.place(cursors.time)
    assert cursors.position(told(place, *wanted), time, *wanted) == place


@given(path=_TEXT)
def test_a_position_may_be_text_alone(path: str) -> None:
    assert cursors.position(told(path, "a/"), cursors.text, "a/") == path


@given(wanted=_WANTED, others=_WANTED)
def test_a_cursor_is_of_one_list(wanted: list[str], others: list[str]) -> None:
    cursor = told(_PLACE, *wanted)
    if wanted == others:
        assert read(cursor, *others) == _PLACE
    else:
        with pytest.raises(CursorInvalidError):
            read(cursor, *others)


@given(garbage=st.text(min_size=1))
def test_any_other_text_is_no_cursor(garbage: str) -> None:
    with pytest.raises(CursorInvalidError):
        read(garbage)


@given(place=st.integers(0, 1_000), letter=st.characters(), cuts=st.booleans())
def test_a_cursor_that_was_changed_is_none(place: int, letter: str, cuts: bool) -> None:  # noqa: FBT001 - given by name
    cursor = told(_PLACE, "owned")
    place %= len(cursor)
    changed = cursor[:place] + ("" if cuts else letter) + cursor[place + 1 :]
    if changed == cursor:
        return
    with pytest.raises(CursorInvalidError):
        read(changed, "owned")


def test_one_cursor_names_a_place() -> None:
    cursor = told("1234")
    assert len(cursor) % 4
    for other in (f"{cursor}=", f"{cursor}{'=' * (-len(cursor) % 4)}", f"{cursor}\n"):
        with pytest.raises(CursorInvalidError):
            cursors.position(other, cursors.text)


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        (cursors.text, "a\0b"),
        (cursors.time, ""),
        (cursors.time, "2026-01-01"),
        (cursors.time, "2026-01-01T00:00:00+14:00"),
        (cursors.place(cursors.text), "no id"),
        (cursors.place(cursors.time), f"{_ID.hex}0001-01-01T00:00:00+14:00"),
        (cursors.text, "x" * 1_000),
    ],
)
def test_a_place_that_no_row_has_is_refused_whoever_marks_it(kind: Any, at: str) -> None:
    with pytest.raises(CursorInvalidError):
        cursors.position(told(at), kind)


@pytest.mark.parametrize("cursor", [None, ""])
def test_without_a_cursor_a_list_begins(cursor: str | None) -> None:
    assert read(cursor, "owned") is None


def test_a_list_is_read_in_one_way() -> None:
    with pytest.raises(InvalidError) as refused:
        cursors.alone("", 1)
    assert refused.value.details[0]["field"] == "page"
    cursors.alone(None, 1)
    cursors.alone("", None)
