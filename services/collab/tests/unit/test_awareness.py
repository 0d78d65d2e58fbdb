"""Everybody speaks for themselves alone."""

import msgspec
import pytest

from collab.yjs import messages
from collab.yjs.awareness import Author, Awareness
from collab.yjs.varints import MalformedError


@pytest.fixture
def states():
    """Nobody is there yet."""
    return Awareness(bytes_max=200, clients_max=2)


def author(user):
    """A connection of a user."""
    return Author(object(), user)


def test_the_server_signs(states):
    ann = author("ann")
    ((client, clock, state),) = states.learn([(5, 1, b'{"user":{"id":"bob","name":"B"}}')], ann)
    assert (client, clock) == (5, 1)
    assert msgspec.json.decode(state) == {"user": {"id": "ann", "name": "B"}}


def test_old_and_foreign_words_are_passed_over(states):
    ann, bob = author("ann"), author("bob")
    assert states.learn([(5, 3, b"{}")], ann)
    assert not states.learn([(5, 3, b"{}")], ann)
    assert not states.learn([(5, 2, b"{}")], ann)
    assert not states.learn([(5, 4, b"{}")], bob)
    assert not states.learn([(5, 3, b"null")], bob)
    assert states.learn([(5, 3, b"null")], ann)
    assert states.everybody() == []


def test_a_connection_that_comes_back_takes_over(states):
    old, new = author("ann"), author("ann")
    states.learn([(5, 1, b"{}")], old)
    assert states.learn([(5, 2, b"{}")], new)
    assert states.forget(old) == []
    assert states.forget(new) == [(5, 3, b"null")]


@pytest.mark.parametrize(("client", "clock"), [(2**53, 1), (2**62 - 1, 1), (5, 2**53 - 2)])
def test_what_no_browser_can_count_is_refused(states, client, clock):
    with pytest.raises(MalformedError):
        states.learn([(client, clock, b"{}")], author("ann"))


@pytest.mark.parametrize("state", [b"{", b"\xff", b'"' + b"x" * 300 + b'"'])
def test_bad_states_are_refused(states, state):
    with pytest.raises(MalformedError):
        states.learn([(5, 1, state)], author("ann"))


def test_a_connection_has_few_clients(states):
    ann = author("ann")
    states.learn([(1, 1, b"{}"), (2, 1, b"{}")], ann)
    with pytest.raises(MalformedError):
        states.learn([(3, 1, b"{}")], ann)


def test_messages_come_back():
    entries = [(5, 1, b"{}"), (2**40, 300, b"null")]
    frame = messages.awareness(entries)
    assert messages.read_awareness(frame[2:]) == entries


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_say_their_length(size):
    frame = messages.framed(b"x" * size)
    header = len(frame) - size
    assert header == {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
