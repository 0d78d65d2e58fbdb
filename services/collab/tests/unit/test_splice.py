"""A process believes another one about who somebody is, for a moment, and nobody else."""

import time

from collab.identity.types import Identity
from collab.links import splice
from common.ids import uuid7

SECRET = "the fleet's"  # noqa: S105 - of a test


def test_a_signed_word_is_believed():
    somebody = Identity(uuid7(), "session", "user", time.time() + 60)
    word = splice.signed(somebody, SECRET)
    assert splice.read(word, SECRET) == somebody
    assert splice.read(word, "another's") is None


def test_a_word_is_not_believed_for_long(monkeypatch):
    word = splice.signed(Identity(uuid7(), "session", "user", 0.0), SECRET)
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert splice.read(word, SECRET) is None


def test_what_is_altered_is_no_word():
    word = splice.signed(Identity(uuid7(), "session", "user", 0.0), SECRET)
    payload, _, signature = word.partition(".")
    for altered in (
        f"{payload[:-4]}AAAA.{signature}",
        payload,
        f".{signature}",
        "",
        "é.é",
        f"{payload}.é",
    ):
        assert splice.read(altered, SECRET) is None
