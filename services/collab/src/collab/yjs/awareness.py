"""Who is where in a document: small, short-lived states, each a client's own.

A client speaks for itself alone. Who it belongs to is written in by the server.
"""

from typing import Any

import msgspec

from collab.yjs.varints import MalformedError

_GONE = b"null"
# what JavaScript can count to, and once more for the word that a client is gone
_CLIENT_MAX = 2**53 - 1
_CLOCK_MAX = 2**53 - 3

type Entry = tuple[int, int, bytes]


class _State:
    __slots__ = ("clock", "owner", "state")

    def __init__(self, clock: int, state: bytes, owner: object) -> None:
        self.clock = clock
        self.state = state
        self.owner = owner


class Author(msgspec.Struct, frozen=True):
    """Somebody who holds states: ``key`` is the connection's, ``user_id`` the person's."""

    key: object
    user_id: str


class Awareness:
    """The states of one document. Clocks only rise, so an echo of an old state changes nothing."""

    __slots__ = ("_bytes_max", "_clients_max", "_states")

    def __init__(self, *, bytes_max: int, clients_max: int) -> None:
        self._states: dict[int, _State] = {}
        self._bytes_max = bytes_max
        self._clients_max = clients_max

    def learn(self, entries: list[Entry], author: Author) -> list[Entry]:
        """Take in what ``author`` says; return what is news, for everybody.

        Providers repeat what they heard of others: that is passed over, as is a stranger's word on
        somebody's state. Raises ``MalformedError``.
        """
        news: list[Entry] = []
        for client, clock, given in entries:
            if client > _CLIENT_MAX or clock > _CLOCK_MAX:
                raise MalformedError("A client or a clock is out of range.")
            known = self._states.get(client)
            if known is not None and not _is_newer(known, clock, given):
                continue
            if known is not None and not _may_speak(known, author):
                continue
            if known is None and given == _GONE:
                continue
            state = _signed(given, author.user_id, self._bytes_max)
            if known is None and self._held(author) >= self._clients_max:
                raise MalformedError("One connection speaks for too many clients.")
            self._states[client] = _State(clock, state, author)
            news.append((client, clock, state))
        return news

    def _held(self, author: Author) -> int:
        return sum(1 for s in self._states.values() if s.owner is author)

    def everybody(self) -> list[Entry]:
        """Return every state that is present."""
        return [(c, s.clock, s.state) for c, s in self._states.items() if s.state != _GONE]

    def forget(self, author: Author) -> list[Entry]:
        """Drop what ``author`` held; return the news of it."""
        gone = [(c, s) for c, s in self._states.items() if s.owner is author]
        for client, _ in gone:
            del self._states[client]
        return [(client, s.clock + 1, _GONE) for client, s in gone if s.state != _GONE]


def _is_newer(known: _State, clock: int, state: bytes) -> bool:
    if clock == known.clock:
        return state == _GONE and known.state != _GONE
    return clock > known.clock


def _may_speak(known: _State, author: Author) -> bool:
    """A client that reconnects takes over from its old connection, which may not have ended yet."""
    owner = known.owner
    return owner is author or (isinstance(owner, Author) and owner.user_id == author.user_id)


def _signed(state: bytes, user_id: str, bytes_max: int) -> bytes:
    if len(state) > bytes_max:
        raise MalformedError("A state is too large.")
    try:
        value: Any = msgspec.json.decode(state)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedError("A state is not JSON.") from None
    if not isinstance(value, dict):
        return _GONE if value is None else state
    user = value.get("user")
    value["user"] = {**(user if isinstance(user, dict) else {}), "id": user_id}
    return msgspec.json.encode(value)
