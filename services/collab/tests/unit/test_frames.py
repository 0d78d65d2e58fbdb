"""What one process says over a link the other one hears, in whatever pieces; nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.identity.types import Identity
from collab.links import frames

NUMBERS = st.integers(0, 2**32 - 1)
TEXTS = st.text(max_size=40)
BYTES = st.binary(max_size=300)
OPENINGS = st.builds(
    frames.Opening, TEXTS, st.builds(Identity, st.uuids(), TEXTS, TEXTS, st.floats(0, 2**40))
)


def passed(group, parts):
    """What a group is told that came from these channels."""
    sizes = tuple((channel, len(data)) for channel, data in parts)
    return frames.Passed(group, sizes, b"".join(data for _, data in parts))


FRAMES = st.one_of(
    st.builds(frames.Open, NUMBERS, OPENINGS),
    st.builds(frames.Message, NUMBERS, st.booleans(), BYTES),
    st.builds(frames.Close, NUMBERS, st.integers(0, 65_535), TEXTS),
    st.builds(frames.Answer, NUMBERS, BYTES),
    st.builds(frames.Told, NUMBERS, st.lists(NUMBERS, max_size=9).map(tuple), BYTES),
    st.lists(st.tuples(NUMBERS, BYTES), max_size=9).map(lambda parts: passed(7, parts)),
    st.builds(frames.Join, NUMBERS, NUMBERS),
    st.builds(frames.Leave, NUMBERS, NUMBERS),
    st.builds(frames.Beat),
)
BYTES_MAX = 4_096


@given(st.lists(FRAMES, max_size=20), st.lists(st.integers(1, 200), min_size=1, max_size=9))
def test_what_is_said_is_heard_in_whatever_pieces(said, sizes):
    sent = b"".join(frames.encode(frame) for frame in said)
    decoder = frames.Decoder(BYTES_MAX)
    heard = []
    number = 0
    while sent:
        size = sizes[number % len(sizes)]
        heard += decoder.feed(sent[:size])
        sent = sent[size:]
        number += 1
    assert heard == said


@given(st.lists(st.binary(max_size=60), max_size=9))
def test_garbage_is_heard_as_frames_or_as_garbage(pieces):
    decoder = frames.Decoder(BYTES_MAX)
    try:
        for piece in pieces:
            decoder.feed(piece)
    except frames.GarbledError:
        return


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x00\x09",
        b"\x00\x00\x00\x00\x00",
        b"\x00\x00\x00\x01\x08!",
        b"\x00\x00\x00\x03\x06abc",
        b"\x00\x00\x00\x06\x05\x00\x00\x00\x01\x00\x02",
        b"\x00\x00\x00\x06\x01\x00\x00\x00\x01{}",
        b"\x00\x00\x00\x07\x03\x00\x00\x00\x01\x00\x02\xff",
        b"\x00\x00\x10\x01\x04",
        b"\x00\x00\x00\x06\x09\x00\x00\x00\x01\x00\x01",
        b"\x00\x00\x00\x0f\x09\x00\x00\x00\x01\x00\x01\x00\x00\x00\x07\x00\x00\x00\x02!",
    ],
)
def test_what_nobody_would_say_is_garbage(garbage):
    with pytest.raises(frames.GarbledError):
        frames.Decoder(BYTES_MAX).feed(garbage)


def test_nobody_hears_what_came_from_them():
    frame = passed(1, [(7, b"a"), (0, b"bc"), (7, b"d"), (8, b"e")])
    assert [frame.without(channel) for channel in (7, 8, 9)] == [b"bce", b"abcd", b"abcde"]
