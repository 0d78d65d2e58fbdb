"""What an event means here and now: for the sockets, the live documents and the rooms."""

from typing import Any
from uuid import UUID

import msgspec

from collab import events
from collab.documents.library import Library
from collab.rooms.hall import Hall, News
from collab.rooms.room import encoded
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

ORIGIN = "collab"
"""The origin of changes that came out of a live document, and need not come back into it."""

_HANDLERS: dict[str, Handler[Any]] = {s.event.subject: s.handler for s in events.SUBSCRIPTIONS}
_TYPES: dict[str, type[CloudEvent[Any]]] = {
    s.event.subject: CloudEvent[s.event]  # type: ignore[name-defined]  # the type is known at run time
    for s in events.SUBSCRIPTIONS
}


class _Plain(msgspec.Struct, frozen=True):
    """An event of which only the project matters here."""

    id: UUID
    time: str
    data: dict[str, Any]


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
            await self._store(subject, event)
            await self._apply(event.data)
        if subject != AccessChanged.subject:
            self._tell(subject, data, seq)

    async def _store(self, subject: str, event: CloudEvent[Any]) -> None:
        async with self._db.transaction() as tx:
            if await inbox.claim(tx, event.id):
                await _HANDLERS[subject](tx, event)

    async def _apply(self, fact: Event) -> None:
        match fact:
            case AccessChanged():
                await self._gate.changed(fact.project_id)
            case FileMoved():
                await self._library.moved((fact.project_id, fact.path), fact.to)
            case FileDeleted():
                await self._library.deleted((fact.project_id, fact.path))
            case FileCreated() | FileUpdated() if fact.origin != ORIGIN:
                key = fact.project_id, fact.path
                await self._library.changed(key, fact.hash, str(fact.actor_id))
            case _:
                pass

    def _tell(self, subject: str, data: bytes, seq: int) -> None:
        """Pass the event on to the room of its project, if it is of one."""
        event = msgspec.json.decode(data, type=_Plain)
        try:
            project_id = UUID(event.data.get("projectId", ""))
        except (ValueError, AttributeError, TypeError):
            return
        self._hall.tell(News(seq, project_id, encoded(_frame(subject, event, seq))))


def _frame(subject: str, event: _Plain, seq: int) -> dict[str, Any]:
    """Name the frame as rooms do; it keeps the event's id, type, time and facts."""
    _, noun, verb, _ = subject.split(".")
    frame = {
        # from where somebody acts is not for the others in the room
        **{name: value for name, value in event.data.items() if name != "address"},
        "type": f"{noun}-{verb}",
        "id": event.id,
        "event": subject,
        "seq": seq,
        "time": event.time,
    }
    if "hash" in event.data:
        frame["etag"] = f'"{event.data["hash"]}"'
    if "actorId" in event.data:
        frame["actor"] = event.data["actorId"]
    return frame
