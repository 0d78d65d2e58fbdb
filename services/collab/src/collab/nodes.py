"""What makes a process of collab a node: its sockets, its documents, its rooms, its events."""

import asyncio
from uuid import UUID

import msgspec
from litestar import Litestar

from collab.chat.speaker import Speaker
from collab.comments import anchors
from collab.documents import socket as documents
from collab.documents.holds import Holds
from collab.documents.library import Library
from collab.documents.means import Means
from collab.documents.rebase import rebased
from collab.follower import Follower
from collab.identity.service import AuthMessage, Doorman
from collab.leases import schema as leases
from collab.leases.leases import Leases
from collab.links.desk import Desk
from collab.links.keeper import Keeper
from collab.links.links import Links
from collab.peers import Projects, auth_peer
from collab.rooms import socket as rooms
from collab.rooms.hall import Hall
from collab.rooms.past import Past
from collab.sentry import Sentry
from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.gate import Gate, Member
from collab.sockets.listener import Listener
from collab.sockets.reception import Reception
from collab.sockets.session import Session
from collab.witness import Witness
from collab.workshop.workshop import Workshop
from collab.yjs.log import text_of
from common.database import Database
from common.ids import uuid7


class Node:
    """A part of the application: lives from when the database stands until before it falls."""

    def __init__(self, settings: Settings, projects: Projects, hall: Hall) -> None:
        self._settings = settings
        self._projects = projects
        self._hall = hall
        self._parts: _Parts | None = None
        self._watching: list[asyncio.Task[None]] = []

    async def open(self, app: Litestar) -> None:
        """Follow the events, and listen."""
        parts = self._parts = _Parts(self._settings, app, self._projects, self._hall)
        app.state.desk = parts.desk
        await parts.leases.open()
        parts.library.means.workshop.open(text_of, rebased, anchors.all_where)
        parts.keeper.open()
        loop = asyncio.get_running_loop()
        self._watching = [loop.create_task(one.run()) for one in (parts.follower, parts.sentry)]
        await parts.listener.open()

    async def close(self) -> None:
        """Send everybody home, make everything durable, and let others have the projects."""
        parts = self._parts
        if parts is None:
            return
        await parts.listener.close()
        for task in self._watching:
            task.cancel()
        await parts.keeper.close()
        left, _ = await asyncio.gather(parts.library.close(), self._hall.close())
        await parts.leases.close(left)
        await parts.library.means.workshop.close()
        await parts.links.close()
        await parts.desk.close()
        await parts.auth.close()


class _Parts:
    """What a node is made of."""

    def __init__(self, settings: Settings, app: Litestar, projects: Projects, hall: Hall) -> None:
        db: Database = app.state.db
        here = leases.Node(uuid7(), settings.advertised_host, settings.port, settings.socket_port)
        self.auth = auth_peer(settings)
        doorman = Doorman(settings, self.auth)
        self.gate = Gate(db, projects.access, settings)
        self.leases = Leases(settings, db, here, self._lost)
        self.library = Library(Means(db, projects, settings, self.leases, Workshop(settings)))
        self.desk = Desk(settings, self.leases, self.library, Holds(self.library))
        self.links = Links(settings, here)
        self.keeper = Keeper(settings, self.leases, self.library, self.gate, self.links)
        self.witness = Witness(db, self.gate, self.library, hall)
        self.follower = Follower(settings, app.state.bus, self.witness)
        silent_s, is_live = self.follower.silent_s, doorman.is_live
        self.sentry = Sentry(settings, db, self.gate, projects.access, is_live, silent_s)
        hall.past = Past(settings, app.state.bus)
        hall.speaker = Speaker(db, projects.access, settings, app.state.relay.wake)

        async def serve(member: Member, session: Session) -> None:
            if member.socket.target.path is None:
                await rooms.serve(hall, member, session)
            else:
                await documents.serve(self.library, member, _refreshing(member, session))

        watch = app.state.watch
        reception = Reception(settings, doorman, self.gate, self.leases, self.links, serve)
        self.listener = Listener(settings, watch, reception)

    def _lost(self, project_id: UUID) -> None:
        """Another process has a project now: its people go there."""
        self.gate.close_project(project_id)
        self.library.drop_project(project_id)


def _refreshing(member: Member, session: Session) -> documents.OnText:
    """On a document's socket, the one message in text brings a newer token."""

    def on_text(data: bytes) -> None:
        try:
            message = msgspec.json.decode(data, type=AuthMessage)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            member.socket.shut(closing.BAD_FRAME, "this is no message of the protocol")
            return
        session.refresh(message.access_token, lambda _: None)

    return on_text
