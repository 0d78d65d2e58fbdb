"""What an event means here and now: for the sockets, the live documents and the rooms."""

from typing import Any

import msgspec

from collab import events
from collab.documents.library import Library
from collab.rooms.hall import Hall
from collab.rooms.news import news_of
from collab.sockets.gate import Gate
from common import inbox
from common.bus import Handler
from common.contracts.auth import SessionRevoked
from common.contracts.base import CloudEvent, Event
from common.contracts.projects import (
    AccessChanged,
    FileCreated,
    FileDeleted,
    FileMoved,
    FileUpdated,
)
from common.database import Database

ORIGIN = "ws"
"""The origin of changes that came out of a live document, and need not come back into it."""

_HANDLERS: dict[str, Handler[Any]] = {s.event.subject: s.handler for s in events.SUBSCRIPTIONS}
_FILES = (FileCreated, FileUpdated, FileMoved, FileDeleted)
_SEEN: list[type[Event]] = [*(s.event for s in events.SUBSCRIPTIONS), *_FILES]
_TYPES: dict[str, type[CloudEvent[Any]]] = {
    event.subject: CloudEvent[event]  # type: ignore[valid-type]  # the type is known at run time
    for event in _SEEN
}


class Witness:
    """Sees every event in order."""

    def __init__(self, db: Database, gate: Gate, library: Library, hall: Hall) -> None:
        self._db = db
        self._gate = gate
        self._library = library
        self._hall = hall

    def starts_behind(self, seq: int) -> None:
        """Events up to ``seq`` are not seen."""
        self._hall.follow_from(seq)

    async def see(self, subject: str, data: bytes, seq: int) -> None:
        """Act on one event."""
        if subject == SessionRevoked.subject:
            over = msgspec.json.decode(data, type=CloudEvent[SessionRevoked]).data
            self._gate.end_session(over.user_id, str(over.session_id))
        wanted = _TYPES.get(subject)
        if wanted is not None:
            event = msgspec.json.decode(data, type=wanted)
            if subject in _HANDLERS:
                await self._store(subject, event)
            await self._apply(event.data)
        news = news_of(subject, data, seq)
        if news is not None:
            self._hall.tell(news)

    async def _store(self, subject: str, event: CloudEvent[Any]) -> None:
        async with self._db.transaction() as tx:
            if await inbox.claim(tx, event.id):
                await _HANDLERS[subject](tx, event)

    async def _apply(self, fact: Event) -> None:
        match fact:
            case AccessChanged():
                await self._gate.changed(fact.project_id)
            case FileMoved() | FileDeleted():
                self._library.heard((fact.project_id, fact.path))
            case FileCreated() | FileUpdated() if fact.origin != ORIGIN:
                self._library.heard((fact.project_id, fact.path))
            case _:
                pass
