"""A room's socket: each frame is decoded, checked, acted upon and answered."""

from typing import Any, get_args
from uuid import UUID

import msgspec

from collab.rooms import schema
from collab.rooms.hall import Hall
from collab.rooms.room import Room, encoded
from collab.sockets import closing
from collab.sockets.gate import Member
from collab.sockets.session import Session
from common.errors import ForbiddenError, InvalidError, ServiceError
from common.ids import uuid7

_FRAMES: msgspec.json.Decoder[schema.ClientFrame] = msgspec.json.Decoder(schema.ClientFrame)
_ENVELOPE = msgspec.json.Decoder(schema.Envelope)
_TYPES = {frame.__struct_config__.tag for frame in get_args(schema.ClientFrame.__value__)}


class Visitor:
    """Somebody's socket, in the room or at its door."""

    def __init__(self, hall: Hall, member: Member, session: Session) -> None:
        self.session_id = str(uuid7())
        self.state: dict[str, Any] = {}
        self._hall = hall
        self._member = member
        self._session = session
        self._room: Room | None = None

    @property
    def user_id(self) -> UUID:
        """Who it is."""
        return self._member.identity.user_id

    @property
    def role(self) -> str:
        """What they may do."""
        return self._member.role

    def write(self, data: bytes) -> None:
        """Write whole frames."""
        self._member.socket.write(data)

    def welcome(self) -> None:
        """Say who one is here, and what holds."""
        settings = self._hall.settings
        limits = schema.SocketLimits(
            settings.frames_per_second, settings.frames_burst, settings.presence_bytes_max
        )
        frame = schema.Welcome(
            session_id=self.session_id,
            heartbeat_ms=int(settings.heartbeat_s * 1_000),
            max_frame=settings.room_frame_bytes_max,
            limits=limits,
            server_seq=self._hall.seq,
            role=self.role,
        )
        self.write(encoded(frame))

    def receive(self, data: bytes, is_text: bool) -> None:  # noqa: FBT001 - a sink's signature
        """Act on one frame and answer it; what has no type closes the socket."""
        try:
            envelope = _ENVELOPE.decode(data) if is_text else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            envelope = None
        if envelope is None:
            self._member.socket.shut(closing.BAD_FRAME, "frames are JSON objects with a type")
            return
        try:
            self._act(_decoded(envelope, data))
        except ServiceError as exc:
            self.refuse(envelope.id, exc)

    def refuse(self, frame_id: schema.FrameId, exc: ServiceError) -> None:
        """Say that a frame was not acted upon, and why."""
        self.write(encoded(schema.Refused(frame_id, schema.FrameProblem(exc.code, str(exc)))))

    def _act(self, frame: schema.ClientFrame) -> None:
        match frame:
            case schema.AuthRefresh():
                self._session.refresh(frame.access_token, lambda exc: self._answer(frame.id, exc))
                return
            case schema.JoinProject():
                self._join(frame)
            case schema.LeaveProject():
                self.leave()
            case schema.PresenceUpdate():
                self._present(frame.state)
            case schema.Cursor():
                self._joined().move(self, frame.path, frame.selection)
            case schema.Ping():
                pass
        self._answer(frame.id, None)

    def _answer(self, frame_id: schema.FrameId, exc: ServiceError | None) -> None:
        if exc is not None:
            self.refuse(frame_id, exc)
        elif frame_id is not None:
            self.write(encoded(schema.Done(frame_id)))

    def _join(self, frame: schema.JoinProject) -> None:
        if self._room is None:
            project_id = self._member.socket.target.project_id
            self._room = self._hall.join(project_id, self, frame.last_seq)

    def _joined(self) -> Room:
        if self._room is None:
            raise ForbiddenError("Join the project first.")
        return self._room

    def _present(self, state: dict[str, Any]) -> None:
        room = self._joined()
        limit = self._hall.settings.presence_bytes_max
        if len(msgspec.json.encode(state)) > limit:
            raise InvalidError(f"A state has at most {limit} bytes.")
        room.tell_presence(self, state)

    def role_changed(self, role: str) -> None:
        """Tell the user that they may do something else now."""
        self.write(encoded(schema.PermissionsChanged(role)))

    def leave(self) -> None:
        """Leave the room, if in it."""
        if self._room is not None:
            self._room = None
            self._hall.leave(self._member.socket.target.project_id, self)


def _decoded(envelope: schema.Envelope, data: bytes) -> schema.ClientFrame:
    if envelope.type not in _TYPES:
        raise InvalidError(f"There is no frame of type {envelope.type!r}.")
    try:
        return _FRAMES.decode(data)
    except msgspec.MsgspecError as exc:
        raise InvalidError(str(exc)) from exc


async def serve(hall: Hall, member: Member, session: Session) -> None:
    """Serve a room's socket until it ends."""
    visitor = Visitor(hall, member, session)
    member.on_role = visitor.role_changed
    visitor.welcome()
    member.socket.attach(visitor.receive)
    try:
        await member.socket.wait_closed()
    finally:
        visitor.leave()
