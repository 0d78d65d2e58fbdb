"""A room's socket: each frame is decoded, checked, acted upon and answered."""

import asyncio
from typing import Any, get_args
from uuid import UUID

import msgspec
import structlog

from collab.chat.schema import NewMessage
from collab.chat.speaker import Speaker
from collab.permissions import TALKERS
from collab.rooms import schema
from collab.rooms.hall import Hall
from collab.rooms.room import News, Room, encoded
from collab.sockets import closing
from collab.sockets.audience import Outlet
from collab.sockets.gate import Member
from collab.sockets.session import Session
from common.errors import (
    GONE_AWAY,
    ForbiddenError,
    InvalidError,
    ServiceError,
    UnavailableError,
)
from common.ids import uuid7

log = structlog.get_logger()

_FRAMES: msgspec.json.Decoder[schema.ClientFrame] = msgspec.json.Decoder(schema.ClientFrame)
_ENVELOPE = msgspec.json.Decoder(schema.Envelope)
_TYPES = {frame.__struct_config__.tag for frame in get_args(schema.ClientFrame.__value__)}


class Visitor:
    """Somebody's socket, in the room or at its door."""

    def __init__(self, hall: Hall, speaker: Speaker, member: Member, session: Session) -> None:
        self.session_id = str(uuid7())
        self.state: dict[str, Any] = {}
        self._hall = hall
        self._speaker = speaker
        self._member = member
        self._session = session
        self._room: Room | None = None
        self._turn = asyncio.Lock()
        self._heard_seq = 0
        # what happens while it is told what it missed
        self._waiting: list[News] | None = None
        # what it missed is looked for once at a time, also after it has left and come again
        self._looking = asyncio.Lock()
        self._catching_up: tuple[asyncio.Task[None], schema.FrameId] | None = None

    @property
    def user_id(self) -> UUID:
        """Who it is."""
        return self._member.identity.user_id

    @property
    def outlet(self) -> Outlet:
        """Where frames for them are written."""
        return self._member.socket

    @property
    def role(self) -> str:
        """What they may do."""
        return self._member.role

    @property
    def _project_id(self) -> UUID:
        return self._member.socket.target.project_id

    def write(self, data: bytes) -> None:
        """Write whole frames."""
        self._member.socket.write(data)

    def hears(self, news: News) -> bool:
        """Take note of what happened, each once; whether to tell them now."""
        if self._waiting is not None:
            self._waiting.append(news)
            return False
        if news.seq <= self._heard_seq:
            return False
        self._heard_seq = news.seq
        return self._member.is_member or not news.is_for_members

    def _hear(self, news: News) -> None:
        if self.hears(news):
            self.write(news.frame)

    def welcome(self) -> None:
        """Say who one is here, and what holds."""
        settings = self._hall.settings
        limits = schema.SocketLimits(
            settings.frames_per_second,
            settings.frames_burst,
            settings.presence_bytes_max,
            settings.cursor_bytes_max,
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
        if self._begin(frame):
            return
        match frame:
            case schema.LeaveProject():
                self.leave()
            case schema.PresenceUpdate():
                self._present(frame.state)
            case schema.Cursor():
                self._move(frame)
            case _:
                pass
        self._answer(frame.id, None)

    def _begin(self, frame: schema.ClientFrame) -> bool:
        """Begin what takes a while; true where that will answer."""
        match frame:
            case schema.AuthRefresh():
                self._session.refresh(frame.access_token, lambda exc: self._answer(frame.id, exc))
                return True
            case schema.Chat():
                self._say(frame)
                return True
            case schema.JoinProject():
                return self._join(frame)
            case _:
                return False

    def _answer(self, frame_id: schema.FrameId, exc: ServiceError | None) -> None:
        if exc is not None:
            self.refuse(frame_id, exc)
        elif frame_id is not None:
            self.write(encoded(schema.Done(frame_id)))

    def _join(self, frame: schema.JoinProject) -> bool:
        """Join the room; true where the answer comes later, behind what was missed."""
        if self._room is not None:
            return False
        self._room = self._hall.join(self._project_id, self)
        if frame.last_seq is None:
            return False
        waiting = self._waiting = []
        work = self._catch_up(frame.last_seq, waiting, frame.id)
        self._catching_up = self._hall.start(work), frame.id
        return True

    async def _catch_up(
        self, last_seq: int, meanwhile: list[News], frame_id: schema.FrameId
    ) -> None:
        """Be told what was missed, and then what has happened meanwhile."""
        async with self._looking:
            found = await self._missed(last_seq)
        if self._waiting is not meanwhile:
            # it left the room
            return
        self._waiting = self._catching_up = None
        self._heard_seq = last_seq
        if found is None or len(meanwhile) > self._hall.settings.replay_events_max:
            self._heard_seq = 0
            self.write(encoded(schema.Resync(self._hall.seq)))
            found = [], 0
        missed, upto = found
        for news in missed:
            self._hear(news)
        self._heard_seq = max(self._heard_seq, upto)
        for news in meanwhile:
            self._hear(news)
        self._answer(frame_id, None)

    async def _missed(self, last_seq: int) -> tuple[list[News], int] | None:
        try:
            return await self._hall.missed(self._project_id, last_seq)
        except Exception:
            # whoever waits for it would hear nothing any more
            log.exception("replay_failed")
            return None

    def _stop_catching_up(self) -> None:
        """Look no further for what was missed: it has left, and its joining is over."""
        if self._catching_up is not None:
            task, frame_id = self._catching_up
            self._catching_up = None
            task.cancel()
            self._answer(frame_id, None)

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

    def _move(self, frame: schema.Cursor) -> None:
        room = self._joined()
        limit = self._hall.settings.cursor_bytes_max
        size = len(frame.path.encode()) + len(msgspec.json.encode(frame.selection))
        if size > limit:
            raise InvalidError(f"A path and a selection have at most {limit} bytes.")
        room.move(self, frame.path, frame.selection)

    def _say(self, frame: schema.Chat) -> None:
        """Write a message; its frame comes to everybody alike, by the event of it."""
        self._joined()
        if self.role not in TALKERS:
            raise ForbiddenError("Your role does not allow this.")
        self._speaker.step(self.user_id)
        new = NewMessage(text=frame.text, mentions=frame.mentions, client_id=frame.client_id)
        self._speaker.start(self._post(frame.id, new))

    async def _post(self, frame_id: schema.FrameId, new: NewMessage) -> None:
        """Answer when a message is written; those of one socket are written in turn."""
        problem: ServiceError | None = None
        async with self._turn:
            try:
                await self._speaker.post(self._project_id, self.user_id, new)
            except ServiceError as exc:
                problem = exc
            except GONE_AWAY as exc:
                log.warning("frame_waits_in_vain", error=repr(exc))
                problem = UnavailableError()
            except Exception:
                log.exception("frame_failed")
                problem = ServiceError("Something went wrong.")
            self._answer(frame_id, problem)

    def role_changed(self, role: str) -> None:
        """Tell the user that they may do something else now."""
        self.write(encoded(schema.PermissionsChanged(role)))

    def leave(self) -> None:
        """Leave the room, if in it."""
        if self._room is not None:
            self._room = None
            self._waiting = None
            self._hall.leave(self._project_id, self)
            self._stop_catching_up()


def _decoded(envelope: schema.Envelope, data: bytes) -> schema.ClientFrame:
    if envelope.type not in _TYPES:
        raise InvalidError(f"There is no frame of type {envelope.type!r}.")
    try:
        return _FRAMES.decode(data)
    except msgspec.MsgspecError as exc:
        raise InvalidError(str(exc)) from exc


async def serve(hall: Hall, member: Member, session: Session) -> None:
    """Serve a room's socket until it ends."""
    if hall.speaker is None:
        raise UnavailableError
    visitor = Visitor(hall, hall.speaker, member, session)
    member.on_role = visitor.role_changed
    visitor.welcome()
    member.socket.attach(visitor.receive)
    try:
        await member.socket.wait_closed()
    finally:
        visitor.leave()
