"""All rooms of this process, and the news that were told in them lately."""

from collections import deque
from uuid import UUID

import msgspec

from collab.rooms import schema
from collab.rooms.room import Guest, Room, encoded
from collab.settings import Settings


class News(msgspec.Struct, frozen=True):
    """Something that happened to a project, as its room heard it."""

    seq: int
    project_id: UUID
    frame: bytes


class Hall:
    """Rooms by project. ``seq`` is how far the events were followed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seq = 0
        self._rooms: dict[UUID, Room] = {}
        self._news: deque[News] = deque(maxlen=settings.replay_frames_max)
        # what happened up to here is not among the news
        self._forgotten_seq: int | None = None

    def join(self, project_id: UUID, guest: Guest, last_seq: int | None) -> Room:
        """Let a guest into a room; tell first what it missed since ``last_seq``."""
        room = self._rooms.get(project_id)
        if room is None:
            room = self._rooms[project_id] = Room(self.settings.cursor_window_s)
        room.join(guest)
        if last_seq is not None:
            self._replay(project_id, guest, last_seq)
        return room

    def leave(self, project_id: UUID, guest: Guest) -> None:
        """Let a guest go."""
        room = self._rooms[project_id]
        room.leave(guest)
        if room.is_empty:
            del self._rooms[project_id]

    def _replay(self, project_id: UUID, guest: Guest, last_seq: int) -> None:
        if last_seq > self.seq or self._forgotten_seq is None or last_seq < self._forgotten_seq:
            guest.write(encoded(schema.Resync(self.seq)))
            return
        for news in self._news:
            if news.seq > last_seq and news.project_id == project_id:
                guest.write(news.frame)

    def follow_from(self, seq: int) -> None:
        """Say that events up to ``seq`` were not followed here."""
        if self._forgotten_seq is None:
            self._forgotten_seq = seq
        self.seq = max(self.seq, seq)

    def tell(self, news: News) -> None:
        """Tell a project's room something, and remember it for who comes back."""
        self.seq = news.seq
        if len(self._news) == self._news.maxlen:
            self._forgotten_seq = self._news[0].seq
        self._news.append(news)
        room = self._rooms.get(news.project_id)
        if room is not None:
            room.broadcast(news.frame)

    def users(self, project_id: UUID) -> list[schema.ActiveUser]:
        """Return who is in a project's room."""
        room = self._rooms.get(project_id)
        return room.users() if room else []
