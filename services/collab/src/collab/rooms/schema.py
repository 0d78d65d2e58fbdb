"""What is said on a room's socket, in JSON: the client's frames, and the server's."""

from typing import Any, Literal
from uuid import UUID

import msgspec

from collab.chat.schema import Mentions, Text

type FrameId = int | str | None


class Envelope(msgspec.Struct, frozen=True):
    """What every client frame has; ``id`` comes back in the reply."""

    type: str
    id: FrameId = None


class JoinProject(
    msgspec.Struct, frozen=True, rename="camel", tag="join-project", forbid_unknown_fields=True
):
    """Become visible in the room; with ``lastSeq`` hear first what was missed."""

    id: FrameId = None
    last_seq: int | None = None


class LeaveProject(msgspec.Struct, frozen=True, tag="leave-project", forbid_unknown_fields=True):
    """Become invisible; the socket stays."""

    id: FrameId = None


class PresenceUpdate(
    msgspec.Struct, frozen=True, tag="presence.update", forbid_unknown_fields=True
):
    """Tell the others something of oneself: any small JSON object."""

    state: dict[str, Any]
    id: FrameId = None


class Cursor(msgspec.Struct, frozen=True, tag="cursor", forbid_unknown_fields=True):
    """Tell where one is, in few bytes; only the latest counts."""

    path: str
    selection: Any = None
    id: FrameId = None


class Chat(msgspec.Struct, frozen=True, rename="camel", tag="chat", forbid_unknown_fields=True):
    """Say something to the project's members; with the same ``clientId`` it is said once."""

    text: Text
    mentions: Mentions = []
    client_id: UUID | None = None
    id: FrameId = None


class AuthRefresh(
    msgspec.Struct, frozen=True, rename="camel", tag="auth.refresh", forbid_unknown_fields=True
):
    """Stay: a new token of the same user."""

    access_token: str
    id: FrameId = None


class Ping(msgspec.Struct, frozen=True, tag="ping", forbid_unknown_fields=True):
    """Ask for a sign of life."""

    id: FrameId = None


type ClientFrame = JoinProject | LeaveProject | PresenceUpdate | Cursor | Chat | AuthRefresh | Ping


class FrameProblem(msgspec.Struct, frozen=True):
    """What is wrong with a client's frame, in the codes of the HTTP contract."""

    code: str
    message: str


class Done(msgspec.Struct, frozen=True):
    """The reply to a frame that was acted upon."""

    id: FrameId
    ok: Literal[True] = True


class Refused(msgspec.Struct, frozen=True):
    """The reply to a frame that was not."""

    id: FrameId
    error: FrameProblem


class SocketLimits(msgspec.Struct, frozen=True, rename="camel"):
    """What one socket may do."""

    frames_per_second: float
    frames_burst: int
    presence_bytes: int
    cursor_bytes: int


class Welcome(msgspec.Struct, frozen=True, rename="camel", tag="welcome"):
    """The first frame: the socket's own id, its limits, and where the news stand."""

    session_id: str
    heartbeat_ms: int
    max_frame: int
    limits: SocketLimits
    server_seq: int
    role: str


class ActiveUser(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody in the room, however many tabs they have open."""

    user_id: UUID
    role: str
    sessions: list[str]
    state: dict[str, Any]


class ActiveUsers(msgspec.Struct, frozen=True, tag="active-users"):
    """Who is in the room as one joins it."""

    users: list[ActiveUser]


class UserJoined(msgspec.Struct, frozen=True, tag="user-joined"):
    """Somebody came, with their first tab."""

    user: ActiveUser


class UserLeft(msgspec.Struct, frozen=True, rename="camel", tag="user-left"):
    """Somebody went, with their last tab."""

    user_id: UUID


class Presence(msgspec.Struct, frozen=True, rename="camel", tag="presence"):
    """Somebody told something of themselves; without a state, the tab and its cursor are gone."""

    user_id: UUID
    session_id: str
    state: dict[str, Any] | None


class PeerCursor(msgspec.Struct, frozen=True, rename="camel"):
    """Where somebody is."""

    user_id: UUID
    session_id: str
    path: str
    selection: Any


class Cursors(msgspec.Struct, frozen=True, tag="cursors"):
    """Where those are who have moved since the last such frame."""

    cursors: list[PeerCursor]


class PermissionsChanged(msgspec.Struct, frozen=True, tag="permissions-changed"):
    """One's own role is another from now on."""

    role: str


class Resync(msgspec.Struct, frozen=True, rename="camel", tag="resync"):
    """More was missed than is remembered: read the project again."""

    server_seq: int


class Occupancy(msgspec.Struct, frozen=True):
    """Who is in a project's room."""

    users: list[ActiveUser]
