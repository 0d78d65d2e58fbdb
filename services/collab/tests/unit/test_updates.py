"""The walk through an update agrees with the CRDT's own reading of it, and trusts nothing."""

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, get_state, get_update, merge_updates

from collab.yjs import updates, varints
from collab.yjs.log import UpdateLog, compacted, seeded, text_of
from collab.yjs.varints import MalformedError


def history(change):
    """The updates that ``change`` makes to a document."""
    doc: Doc[Text] = Doc()
    made = []
    watching = doc.observe(lambda event: made.append(event.update))
    change(doc)
    doc.unobserve(watching)
    return made


def typing(doc):
    text = doc.get("content", type=Text)
    text += "hello wörld 😀"
    text.insert(5, ",")
    del text[0:3]
    text.insert(0, "𝄞", {"bold": True})


def structured(doc):
    scene = doc.get("scene", type=Map)
    scene["name"] = "level"
    scene["parts"] = Array([1, 2.5, None, True, "x", {"a": [1, {"b": "c"}]}, -70_000, b"raw"])
    scene["inner"] = Map({"text": Text("deep")})
    del scene["name"]


@pytest.mark.parametrize("change", [typing, structured])
def test_an_update_is_walked_to_its_end(change):
    made = history(change)
    everything = merge_updates(*made)
    for update in [*made, everything]:
        updates.contents(update)
    found = updates.contents(everything)
    ends = {client: end for client, _, end in found.operations}
    assert ends == updates.state_vector(get_state(everything))


def test_a_gap_is_seen():
    made = history(typing)
    found = updates.contents(merge_updates(made[0], made[-1]))
    starts = [start for _, start, _ in found.operations]
    assert len(starts) == 2
    assert found.operations[0][2] < starts[1]


@given(st.binary(max_size=60))
def test_any_bytes_are_an_update_or_refused(junk):
    try:
        updates.contents(junk)
    except MalformedError:
        return
    get_state(junk)


def test_a_damaged_update_is_an_update_or_refused():
    dice = random.Random(5)  # noqa: S311 - the same dice in every run
    made = [*history(typing), *history(structured)]
    for _ in range(5_000):
        damaged = bytearray(dice.choice(made))
        damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            updates.contents(bytes(damaged))
            get_state(bytes(damaged))
        except ValueError:
            continue
        doc: Doc[Text] = Doc()
        doc.apply_update(made[0])
        doc.apply_update(bytes(damaged))


@pytest.mark.parametrize(
    "lie",
    [
        b"\xff\xff\xff\xff\x0f",
        b"\x01\xff\xff\xff\xff\x0f\x01\x00",
        b"\x00\x01\x05\xff\xff\xff\xff\x0f",
        b"\x00\x00\x00",
        b"\x01\x01\x01\x00\x84\x01\x00\x7f",
        b"\x01\x01\x01\x00\x1f\x00",
        b"",
    ],
)
def test_a_lie_about_size_is_refused(lie):
    with pytest.raises(MalformedError):
        updates.contents(lie)


def plain(doc):
    text = doc.get("content", type=Text)
    text += "hello wörld 😀"
    text.insert(5, ",")
    del text[0:3]


def test_what_is_typed_can_be_in_a_text():
    made = history(plain)
    for update in [*made, merge_updates(*made), seeded("", 7)]:
        assert updates.contents(update, "content") == updates.contents(update)


def embedded(doc):
    doc.get("content", type=Text).insert_embed(0, {"image": "x"})


def marked(doc):
    doc.get("content", type=Text).insert(0, "x", {"bold": True})


def elsewhere(doc):
    doc.get("other", type=Text).insert(0, "x")


def item(parent, content=b"\x01X", kind=4):
    """An update with one item of client 77."""
    return b"\x01\x01\x4d\x00" + bytes((kind,)) + parent + content + b"\x00"


ROOT = b"\x01\x07content"


@pytest.mark.parametrize(
    "update",
    [
        *[merge_updates(*history(change)) for change in (structured, embedded, marked, elsewhere)],
        # in an item that is no place for another one
        item(b"\x00\x01\x00"),
        # behind a key
        item(ROOT + b"\x01k", kind=0x24),
        # JSON of an old kind, bytes, a document of its own
        item(ROOT, b"\x01\x011", kind=2),
        item(ROOT, b"\x01b", kind=3),
        item(ROOT, b"\x01g\x76\x00", kind=9),
    ],
)
def test_what_cannot_be_in_a_text_is_refused(update):
    updates.contents(update)
    with pytest.raises(MalformedError):
        updates.contents(update, "content")
    assert updates.contents(item(ROOT), "content").operations == [(77, 0, 1)]


def test_what_stands_behind_a_gap_is_not_in_the_text():
    # as in Yjs, which lets it wait
    late = b"\x01\x01\x09\x05\x04\x01\x07content\x01X\x00"
    state = merge_updates(seeded("hello", 1), late)
    assert text_of(state) == "hello"
    assert updates.contents(compacted(state)) == updates.contents(state)
    early = b"\x01\x01\x09\x00\x04\x01\x07content\x05world\x00"
    assert sorted(text_of(merge_updates(state, early))) == sorted("helloworldX")


RANGES = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 9), st.integers(1, 4)), max_size=8)


@given(RANGES, RANGES)
def test_deletions_are_known_or_not(known, wanted):
    spans = [
        [(client, start, start + size) for client, start, size in given]
        for given in (known, wanted)
    ]
    units = [{(c, at) for c, start, end in given for at in range(start, end)} for given in spans]
    assert updates.covers(*spans) == (units[1] <= units[0])


@given(st.integers(min_value=0, max_value=2**53))
def test_integers_come_back(number):
    data = varints.encode(number)
    assert varints.read(data, 0) == (number, len(data))


def test_a_state_vector_comes_back():
    known = {1: 5, 2**40: 70_000}
    assert updates.state_vector(updates.encode_state_vector(known)) == known


def test_the_same_text_begins_the_same_document():
    assert seeded("text", 7) == seeded("text", 7)
    twice = merge_updates(seeded("text", 7), seeded("text", 7))
    assert text_of(twice) == "text"


def test_a_document_is_known_by_its_first_text():
    for text in ("", "text"):
        assert 7 in updates.state_vector(get_state(seeded(text, 7)))
        assert text_of(seeded(text, 7)) == text


def test_a_log_says_what_its_updates_say():
    made = history(typing)
    log = UpdateLog()
    for update in made:
        assert not log.holds(updates.contents(update))
        log.append(update, updates.contents(update))
        assert log.holds(updates.contents(update))
    doc: Doc[Text] = Doc()
    for update in made:
        doc.apply_update(update)
    assert text_of(log.merged()) == str(doc.get("content", type=Text))
    assert updates.state_vector(log.state_vector) == updates.state_vector(doc.get_state())


def test_a_snapshot_is_smaller_and_says_the_same():
    def types(doc):
        text = doc.get("content", type=Text)
        for letter in "a long line that is typed letter by letter " * 10:
            text += letter
        del text[5:50]

    log = UpdateLog(*history(types))
    before = log.merged()
    small = compacted(before)
    assert len(small) < len(before) / 3
    assert text_of(small) == text_of(before)
    log.replace(before, small)
    assert log.merged() is small


def test_a_snapshot_keeps_what_waits_for_something():
    made = history(typing)
    kept = compacted(UpdateLog(made[0], made[-1]).merged())
    assert text_of(UpdateLog(kept, *made).merged()) == text_of(UpdateLog(*made).merged())


def test_a_log_that_grew_is_not_replaced():
    made = history(typing)
    log = UpdateLog(*made[:-1])
    before = log.merged()
    log.append(made[-1], updates.contents(made[-1]))
    log.replace(before, compacted(before))
    assert text_of(log.merged()) == text_of(UpdateLog(*made).merged())


def test_deletions_alone_are_news_once():
    def deletes(doc):
        text = doc.get("content", type=Text)
        text += "abcdef"
        del text[1:3]

    made = history(deletes)
    log = UpdateLog(made[0])
    gone = updates.contents(made[1])
    assert not gone.operations
    assert not log.holds(gone)
    log.append(made[1], gone)
    assert log.holds(gone)
    assert log.holds(updates.contents(get_update(log.merged(), get_state(log.merged()))))


def test_random_bytes_take_no_time():
    for size in range(1, 200):
        junk = os.urandom(size)
        try:
            updates.contents(junk)
            updates.state_vector(junk)
        except MalformedError:
            pass


def test_a_log_is_torn_until_what_is_missing_came():
    log = UpdateLog(seeded("hello", 1))
    late = b"\x01\x01\x09\x05\x04\x01\x07content\x01X\x00"
    early = b"\x01\x01\x09\x00\x04\x01\x07content\x05world\x00"
    log.append(late, updates.contents(late))
    assert log.is_torn
    log.append(early, updates.contents(early))
    assert not log.is_torn
