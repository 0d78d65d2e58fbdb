"""One project's room: who is in it, and where they are. It remembers nothing."""

import asyncio
from typing import Any, Protocol
from uuid import UUID

import msgspec

from collab.rooms import schema
from collab.sockets.audience import Audience, Outlet, Sent
from collab.yjs.messages import TEXT, framed


class News(msgspec.Struct, frozen=True):
    """Something that happened to a project, as its room hears it."""

    seq: int
    project_id: UUID
    frame: bytes
    is_for_members: bool = False


class Guest(Protocol):
    """Somebody's socket in a room."""

    session_id: str
    state: dict[str, Any]

    @property
    def user_id(self) -> UUID:
        """Who it is."""

    @property
    def outlet(self) -> Outlet:
        """Where frames for them are written."""

    @property
    def role(self) -> str:
        """What they may do."""

    def write(self, data: bytes) -> None:
        """Write whole frames."""

    def hears(self, news: News) -> bool:
        """Take note of what happened; whether to tell them now."""


def encoded(frame: msgspec.Struct | dict[str, Any]) -> bytes:
    """Encode a frame once, for however many receive it."""
    return framed(msgspec.json.encode(frame), TEXT)


class Room:
    """The guests of one room, by user."""

    def __init__(self, window_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._window_s = window_s
        self._guests: dict[UUID, list[Guest]] = {}
        self._audience = Audience()
        # of each socket the latest that the others have not been told
        self._cursors: dict[str, schema.PeerCursor] = {}
        self._presences: dict[str, Guest] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nobody is here."""
        return not self._guests

    def join(self, guest: Guest) -> None:
        """Let a guest in; the others hear of a user's first tab alone."""
        tabs = self._guests.setdefault(guest.user_id, [])
        tabs.append(guest)
        self._audience.add(guest.outlet)
        guest.write(encoded(schema.ActiveUsers(self.users())))
        if len(tabs) == 1:
            self.broadcast(encoded(schema.UserJoined(_user(tabs))), but=guest)

    def leave(self, guest: Guest) -> None:
        """Let a guest go, with what they told and where they were."""
        tabs = self._guests[guest.user_id]
        tabs.remove(guest)
        self._audience.discard(guest.outlet)
        self._cursors.pop(guest.session_id, None)
        self._presences.pop(guest.session_id, None)
        if tabs:
            gone = schema.Presence(guest.user_id, guest.session_id, None)
            self.broadcast(encoded(gone))
        else:
            del self._guests[guest.user_id]
            self.broadcast(encoded(schema.UserLeft(guest.user_id)))

    def users(self) -> list[schema.ActiveUser]:
        """Return who is here."""
        return [_user(tabs) for tabs in self._guests.values()]

    def broadcast(self, frame: bytes, *, but: Guest | None = None) -> None:
        """Write an encoded frame to everybody."""
        self._audience.tell(frame, () if but is None else (but.outlet,))

    def tell(self, news: News) -> None:
        """Tell everybody what happened."""
        guests = [guest for tabs in self._guests.values() for guest in tabs]
        deaf = {guest.outlet for guest in guests if not guest.hears(news)}
        self._audience.tell(news.frame, deaf)

    def tell_presence(self, guest: Guest, state: dict[str, Any]) -> None:
        """Let the others know in a moment what a guest tells of themselves."""
        guest.state = state
        self._presences[guest.session_id] = guest
        self._tell_soon()

    def move(self, guest: Guest, path: str, selection: Any) -> None:  # noqa: ANN401 - the editor's own
        """Keep a guest's latest cursor, and tell it with those of others in a moment."""
        cursor = schema.PeerCursor(guest.user_id, guest.session_id, path, selection)
        self._cursors[guest.session_id] = cursor
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._timer is None:
            now = self._loop.time()
            self._timer = self._loop.call_at(max(now, self._next), self._tell_latest)
            self._next = max(now, self._next) + self._window_s

    def _tell_latest(self) -> None:
        """Tell what there is in one write for each; nobody hears what they told of themselves."""
        self._timer = None
        moved, self._cursors = list(self._cursors.values()), {}
        told, self._presences = list(self._presences.values()), {}
        frames: list[Sent] = [(encoded(_presence(guest)), guest.outlet) for guest in told]
        if moved:
            frames.append((encoded(schema.Cursors(moved)), None))
        self._audience.relay(frames)


def _presence(guest: Guest) -> schema.Presence:
    return schema.Presence(guest.user_id, guest.session_id, guest.state)


def _user(tabs: list[Guest]) -> schema.ActiveUser:
    last = tabs[-1]
    return schema.ActiveUser(last.user_id, last.role, [g.session_id for g in tabs], last.state)
