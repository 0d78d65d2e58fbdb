"""A process believes another one about who it is, for a moment, and nobody else."""

import time

from collab.links import words
from common.ids import uuid7

SECRET = "the fleet's"  # noqa: S105 - of a test


def test_a_signed_word_is_believed():
    node_id = uuid7()
    word = words.signed(node_id, SECRET)
    assert words.read(word, SECRET) == node_id
    assert words.read(word, "another's") is None


def test_a_word_is_not_believed_for_long(monkeypatch):
    word = words.signed(uuid7(), SECRET)
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert words.read(word, SECRET) is None


def test_what_is_altered_is_no_word():
    word = words.signed(uuid7(), SECRET)
    payload, _, signature = word.partition(".")
    for altered in (
        f"{payload[:-4]}AAAA.{signature}",
        payload,
        f".{signature}",
        "",
        "é.é",
        f"{payload}.é",
    ):
        assert words.read(altered, SECRET) is None
