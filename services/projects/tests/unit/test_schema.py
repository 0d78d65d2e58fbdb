"""What a project may be called."""

import msgspec
import pytest

from projects.lifecycle.schema import NewProject


@pytest.mark.parametrize("name", ["Pong", "  Pong", "Понг 🎮", "x" * 100])
def test_a_name_is_one_line(name: str) -> None:
    assert msgspec.convert({"name": name}, NewProject).name == name


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "Pong\n", "a\0", "a\x7f", "x" * 101])
def test_a_name_that_is_more_or_less_than_a_line_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name}, NewProject)
