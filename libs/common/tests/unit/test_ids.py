"""Identifiers: version 7, and sorted by time."""

import time

from common.ids import uuid7


def test_an_id_says_its_version_and_variant() -> None:
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_ids_sort_by_the_moment_they_were_made_in() -> None:
    made = []
    for _ in range(200):
        made.append(uuid7())
        time.sleep(0.000_001)
    assert made == sorted(made)


def test_an_id_carries_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000
