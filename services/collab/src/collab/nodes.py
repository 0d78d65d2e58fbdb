"""What makes a process of collab a node: its sockets, its documents, its rooms, its events."""

import asyncio

import msgspec
from litestar import Litestar

from collab.documents import socket as documents
from collab.documents.library import Library
from collab.documents.service import Means
from collab.follower import Follower
from collab.identity.service import AuthMessage, Doorman
from collab.peers import Projects, auth_peer
from collab.rooms import socket as rooms
from collab.rooms.hall import Hall
from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.gate import Gate, Member
from collab.sockets.listener import Listener
from collab.sockets.session import Session
from collab.witness import Witness
from common.database import Database
from common.outgoing import Peer


class Node:
    """A part of the application: lives from when the database stands until before it falls."""

    def __init__(self, settings: Settings, projects: Projects, hall: Hall) -> None:
        self._settings = settings
        self._projects = projects
        self._hall = hall
        self._auth: Peer | None = None
        self._library: Library | None = None
        self._listener: Listener | None = None
        self._follower: asyncio.Task[None] | None = None

    async def open(self, app: Litestar) -> None:
        """Follow the events, and listen."""
        db: Database = app.state.db
        self._auth = auth_peer(self._settings)
        doorman = Doorman(self._settings, self._auth)
        gate = Gate(db, self._projects.access)
        library = Library(Means(db, self._projects, self._settings))
        witness = Witness(db, gate, library, self._hall)
        follower = Follower(self._settings, app.state.bus, witness)

        async def serve(member: Member, session: Session) -> None:
            if member.socket.target.path is None:
                await rooms.serve(self._hall, member, session)
            else:
                await documents.serve(library, member, _refreshing(member, session))

        self._library = library
        self._listener = Listener(self._settings, app.state.watch, doorman, gate, serve)
        self._follower = asyncio.get_running_loop().create_task(follower.run())
        await self._listener.open()

    async def close(self) -> None:
        """Send everybody home, and make everything durable."""
        if self._listener is not None:
            await self._listener.close()
        if self._follower is not None:
            self._follower.cancel()
        if self._library is not None:
            await self._library.close()
        if self._auth is not None:
            await self._auth.close()


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
