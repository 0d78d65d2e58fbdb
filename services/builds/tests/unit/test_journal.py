"""What a worker has to tell, until it is written down."""

import msgspec

from builds.logs.masking import Mask
from builds.metrics import meters
from builds.settings import Settings
from builds.types import Diagnostic
from builds.work.journal import CUT_LINE, Journal, storable
from builds.work.repository import End

_SETTINGS = Settings(database_url="", fleet_secret="", nats_url="", play_secret="")


def _journal(**changed):
    return Journal(msgspec.structs.replace(_SETTINGS, **changed), 7, Mask(["hush-hush"]))


def test_lines_go_on_from_where_an_earlier_attempt_ended():
    journal = _journal()
    journal.say("fetch", "a\nb")
    assert [(line.number, line.text) for line in journal.lines] == [(7, "a"), (8, "b")]


def test_a_flood_is_cut_and_says_so():
    journal = _journal(log_lines_max=3)
    for _ in range(10):
        journal.say("check", "x\ny")
    assert [line.text for line in journal.lines[:3]] == ["x", "y", "x"]
    assert len(journal.lines) == 4
    assert "cut" in journal.lines[3].text


def test_a_line_is_no_longer_than_it_may_be_and_has_no_nul():
    journal = _journal(log_line_chars_max=5)
    journal.say("check", "a\0b" + "c" * 100_000)
    assert journal.lines[0].text == "a\N{REPLACEMENT CHARACTER}bcc" + CUT_LINE


def test_a_log_that_is_too_long_is_cut_and_says_so():
    journal = _journal(log_bytes_max=10)
    journal.say("check", "äää\nab\nc\nd")
    assert [line.text for line in journal.lines[:1]] == ["äää"]
    assert len(journal.lines) == 3
    assert "cut" in journal.lines[2].text


def test_a_line_ends_at_a_newline_and_nowhere_else():
    journal = _journal()
    journal.say("check", "a\r\nb\x0bc\x85d\u2028e\x1cf\rg\n\nh\n")
    assert [line.text for line in journal.lines] == [
        "a",
        "b\x0bc\x85d\u2028e\x1cf\rg",
        "",
        "h",
    ]


def test_colours_are_kept():
    journal = _journal()
    journal.say("bundle", "\x1b[31mred\x1b[0m")
    assert journal.lines[0].text == "\x1b[31mred\x1b[0m"


def test_a_secret_is_hidden_wherever_the_line_is_cut():
    for length in range(30):
        journal = _journal(log_line_chars_max=20)
        journal.say("check", "x" * length + "hush-hush" + "y" * 50)
        (line,) = journal.lines
        assert "hu" not in line.text


def test_many_hidden_secrets_bring_no_cut_one_into_sight():
    journal = _journal(log_line_chars_max=20)
    journal.say("check", "hush-hush" * 10_000)
    assert set(journal.lines[0].text.removesuffix(CUT_LINE)) <= {"*"}


def test_the_end_tells_no_secret_either():
    found = Diagnostic(None, None, None, "X", "hush-hush!", "error")
    end = _journal().masked(
        End(status="failed", error_message="it is hush-hush", diagnostics=[found])
    )
    assert (end.error_message, end.diagnostics[0].message) == ("it is ***", "***!")


def test_a_step_has_its_time_and_its_end():
    journal = _journal()
    journal.begin("check")
    assert [(s.name, s.status, s.duration_ms) for s in journal.steps] == [
        ("check", "running", None)
    ]
    journal.end("check", "failed")
    (step,) = journal.steps
    assert step.status == "failed"
    assert step.duration_ms is not None


def test_a_step_that_is_broken_off_is_not_counted():
    def counted():
        labels = {"step": "check", "status": "failed"}
        return meters.REGISTRY.get_sample_value(
            "worldloom_builds_step_duration_seconds_count", labels
        )

    journal = _journal()
    journal.begin("check")
    journal.end("check", "failed")
    before = counted()
    journal.begin("check")
    journal.leave()
    journal.end("check", "failed")
    assert counted() == before


def test_what_is_written_is_forgotten_and_nothing_else():
    journal = _journal()
    journal.say("fetch", "a\nb\nc")
    journal.written(2)
    assert [line.text for line in journal.lines] == ["c"]


def test_what_no_database_can_hold_is_replaced():
    assert storable("a\udce9\0b\U0001f600") == "a?\N{REPLACEMENT CHARACTER}b\U0001f600"
