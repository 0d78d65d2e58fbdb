"""What a worker has to tell, until it is written down."""

import msgspec

from builds.settings import Settings
from builds.work.journal import Journal

_SETTINGS = Settings(database_url="", fleet_secret="", nats_url="", play_secret="")


def _journal(**changed):
    return Journal(msgspec.structs.replace(_SETTINGS, **changed), 7)


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
    journal.say("check", "a\0b" + "c" * 100)
    assert journal.lines[0].text == "a\N{REPLACEMENT CHARACTER}bcc"


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


def test_what_is_written_is_forgotten_and_nothing_else():
    journal = _journal()
    journal.say("fetch", "a\nb\nc")
    journal.written(2)
    assert [line.text for line in journal.lines] == ["c"]
