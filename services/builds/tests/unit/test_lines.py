"""What a tool says, whatever it says, as lines of a log."""

from typing import override

from builds.pipeline.context import Lines, Told


class _Heard(Told):
    def __init__(self):
        self.lines = []

    @override
    def say(self, step, text):
        self.lines += text.split("\n")

    @override
    def begin(self, step):
        raise AssertionError(step)

    @override
    def end(self, step, status):
        raise AssertionError(step, status)


def _said(*pieces, most=1000):
    heard = _Heard()
    lines = Lines(heard, "check", most)
    for piece in pieces:
        lines(piece)
    lines.close()
    return heard.lines


def test_lines_are_whole_however_they_arrive():
    assert _said(b"a", b"b\nc", b"d\n\ne") == ["ab", "cd", "", "e"]


def test_bytes_that_are_no_text_show_as_such():
    odd = "\N{REPLACEMENT CHARACTER}"
    assert _said(b"a\xff\xfeb\n\xc3", b"\xa4\n") == [f"a{odd}{odd}b", "ä"]


def test_a_line_without_an_end_is_kept_in_part():
    (line,) = _said(*[b"x" * 10_000] * 50, most=1_000_000)
    assert len(line) == 65_536


def test_after_a_line_too_long_others_are_whole():
    assert _said(*[b"x" * 10_000] * 50, b"y\nz\n", most=1_000_000)[1:] == ["z"]


def test_what_a_sandbox_does_not_pass_on_is_missed_and_said():
    *kept, marker = _said(b"abc\n" * 5, most=20)
    assert kept == ["abc"] * 5
    assert "cut" in marker


def test_what_fits_is_said_without_more():
    assert _said(b"abc\n" * 5, most=21) == ["abc"] * 5
