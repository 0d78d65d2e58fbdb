"""What rooms hear of events: the same facts under the same id, as a frame."""

from typing import Any
from uuid import UUID

import msgspec

from collab.rooms.room import News, encoded
from common.contracts.collab import ChatPosted
from common.contracts.projects import AccessChanged

SUBJECTS = ["projects.>", "assets.>", "builds.>", "registry.>", "collab.>"]
_AMONG_MEMBERS = ("collab.", "projects.member.")


class _Plain(msgspec.Struct, frozen=True):
    """An event of which only the project matters here."""

    id: UUID
    time: str
    data: dict[str, Any]


def news_of(subject: str, data: bytes, seq: int) -> News | None:
    """Return what a project's room hears of an event, if it is of a project.

    Roles are not told: each hears of their own. Raises ``MsgspecError`` for what is no event.
    """
    if subject == AccessChanged.subject:
        return None
    event = msgspec.json.decode(data, type=_Plain)
    try:
        project_id = UUID(event.data.get("projectId", ""))
    except (ValueError, AttributeError, TypeError):
        return None
    frame = encoded(_frame(subject, event, seq))
    return News(seq, project_id, frame, subject.startswith(_AMONG_MEMBERS))


def _frame(subject: str, event: _Plain, seq: int) -> dict[str, Any]:
    """Name the frame as rooms do; it keeps the event's id, type, time and facts."""
    _, noun, verb, _ = subject.split(".")
    frame = {
        # from where somebody acts is not for the others in the room
        **{name: value for name, value in event.data.items() if name != "address"},
        "type": "chat" if subject == ChatPosted.subject else f"{noun}-{verb}",
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
