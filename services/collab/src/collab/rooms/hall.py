"""All rooms of this process, and the news that were told in them lately."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from uuid import UUID

from collab.chat.speaker import Speaker
from collab.rooms import schema
from collab.rooms.past import Past
from collab.rooms.room import Guest, News, Room
from collab.settings import Settings


class Hall:
    """Rooms by project. ``seq`` is how far the events were followed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seq = 0
        self.speaker: Speaker | None = None
        self.past: Past | None = None
        self._rooms: dict[UUID, Room] = {}
        self._news: deque[News] = deque(maxlen=settings.replay_frames_max)
        # what happened up to here is not among the news
        self._forgotten_seq: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do something for a guest, until it is done or not wanted any more."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def join(self, project_id: UUID, guest: Guest) -> Room:
        """Let a guest into a room."""
        room = self._rooms.get(project_id)
        if room is None:
            room = self._rooms[project_id] = Room(self.settings.cursor_window_s)
        room.join(guest)
        return room

    def leave(self, project_id: UUID, guest: Guest) -> None:
        """Let a guest go."""
        room = self._rooms[project_id]
        room.leave(guest)
        if room.is_empty:
            del self._rooms[project_id]

    async def missed(self, project_id: UUID, seq: int) -> tuple[list[News], int] | None:
        """Return a project's news after ``seq``, and up to where they are complete.

        ``None`` where more was missed than is remembered anywhere.
        """
        if self._forgotten_seq is not None and self._forgotten_seq <= seq <= self.seq:
            return [n for n in self._news if n.seq > seq and n.project_id == project_id], self.seq
        return None if self.past is None else await self.past.since(project_id, seq)

    def follow_from(self, seq: int) -> None:
        """Say that events up to ``seq`` were not followed here."""
        if self._forgotten_seq is None:
            self._forgotten_seq = seq
        self.seq = max(self.seq, seq)

    def tell(self, news: News) -> None:
        """Tell a project's room something, and remember it for who comes back."""
        self.seq = max(self.seq, news.seq)
        if len(self._news) == self._news.maxlen:
            self._forgotten_seq = max(self._forgotten_seq or 0, self._news[0].seq)
        self._news.append(news)
        room = self._rooms.get(news.project_id)
        if room is not None:
            room.tell(news)

    def users(self, project_id: UUID) -> list[schema.ActiveUser]:
        """Return who is in a project's room."""
        room = self._rooms.get(project_id)
        return room.users() if room else []

    async def close(self) -> None:
        """Let what was said be written; what was missed is told by another process."""
        for task in self._tasks:
            task.cancel()
        if self.speaker is not None:
            await self.speaker.close()
