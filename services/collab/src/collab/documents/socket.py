"""A document's socket: each message of y-protocols, checked against the role that holds now."""

import time
from collections.abc import Callable

from collab.documents import service
from collab.documents.document import Document, TooLargeError
from collab.documents.library import Library
from collab.sockets import closing
from collab.sockets.gate import Member
from collab.yjs import messages, updates, varints
from collab.yjs.awareness import Author
from collab.yjs.varints import MalformedError
from common.errors import UnavailableError

type OnText = Callable[[bytes], None]

# of some ten thousand clients
_VECTOR_BYTES_MAX = 131_072
# a provider sends what it has at once, of which who may only read has nothing
_READ_BYTES_MAX = 4_096
_ASKED_AGAIN_S = 2.0


class Editor:
    """Somebody who has the document open."""

    __slots__ = (
        "_asked_s",
        "_author",
        "_document",
        "_held",
        "_library",
        "_mark",
        "_member",
        "_on_text",
    )

    def __init__(
        self, library: Library, document: Document, member: Member, on_text: OnText
    ) -> None:
        self._library = library
        self._document = document
        # what came while it is asked whose state the client has
        self._held: list[bytes] | None = None
        self._member = member
        self._author = Author(self, member.user_id)
        # what this client sent on an earlier socket may be on its way to be durable
        self._mark = document.writer.accepted
        self._on_text = on_text
        self._asked_s = 0.0

    def receive(self, data: bytes, is_text: bool) -> None:  # noqa: FBT001 - a sink's signature
        """Act on one message; what is not understood closes the socket."""
        try:
            if is_text:
                self._on_text(data)
            else:
                self._act(data)
        except MalformedError as exc:
            self._member.socket.shut(closing.BAD_FRAME, str(exc))
        except TooLargeError:
            self._member.socket.shut(closing.TOO_BIG, "the document is too large")

    def _act(self, data: bytes) -> None:
        if self._held is not None:
            self._hold(data)
            return
        kind, at = varints.read(data, 0)
        if kind == messages.SYNC:
            self._sync(data, at)
        elif kind == messages.AWARENESS:
            settings = self._library.means.settings
            if len(data) > settings.awareness_clients_max * settings.awareness_bytes_max:
                raise MalformedError("There are too many states.")
            self._document.hear(messages.read_awareness(data), self._author)
        elif kind == messages.QUERY_AWARENESS:
            present = self._document.awareness.everybody()
            self._member.socket.write(messages.awareness(present))
        # other kinds are another protocol's, and passed over

    def _hold(self, data: bytes) -> None:
        held = self._held = [*(self._held or ()), data]
        settings = self._library.means.settings
        bytes_max = settings.document_frame_bytes_max
        if len(held) > settings.early_frames_max or sum(map(len, held)) > bytes_max:
            self._member.socket.shut(closing.TOO_BIG, "too much before the answer")

    def _sync(self, data: bytes, at: int) -> None:
        step, at = varints.read(data, at)
        body, _ = varints.read_bytes(data, at)
        if step == messages.STEP_1:
            if len(body) > _VECTOR_BYTES_MAX:
                raise MalformedError("The state vector is too long.")
            has = updates.state_vector(body)
            if has and self._document.seed not in has:
                self._held = [data]
                self._library.start(self._compare(list(has)))
                return
            self._document.answer(self._member.socket, body, self._mark)
        elif step in {messages.STEP_2, messages.UPDATE}:
            self._change(body)
            if step == messages.UPDATE:
                self._ask_if_torn()
        else:
            raise MalformedError("There is no such step.")

    def _change(self, update: bytes) -> None:
        member = self._member
        if member.may_write and self._document.refuses(update):
            member.socket.write(messages.denied("The file or the project is full."))
        elif member.may_write:
            self._mark = self._document.accept(update, member.user_id, member.socket)
        elif update != updates.EMPTY and not self._has(update):
            member.socket.write(messages.denied(f"A {member.role} may not change documents."))

    def _has(self, update: bytes) -> bool:
        """Whether that is known; for who may change nothing it is not worth much work."""
        return len(update) <= _READ_BYTES_MAX and self._document.has(update)

    def _ask_if_torn(self) -> None:
        """Ask for what is missing before what came, now and then: it may have been refused."""
        now = time.monotonic()
        if self._document.log.is_torn and now - self._asked_s > _ASKED_AGAIN_S:
            self._asked_s = now
            self._member.socket.write(messages.step_1(self._document.log.state_vector))

    def enter(self) -> None:
        """Begin: greet the socket, and listen to it."""
        socket = self._member.socket
        self._document.join(socket, may_write=self._member.may_write)
        socket.attach(self.receive)

    def role_changed(self, _: str) -> None:
        """Ask who may write from now on for what it has."""
        self._document.may_write(self._member.socket, may=self._member.may_write)
        if self._member.may_write:
            self._member.socket.write(messages.step_1(self._document.log.state_vector))

    async def _compare(self, clients: list[int]) -> None:
        """Go on with a client that has text of its own, but of no other document."""
        socket = self._member.socket
        try:
            is_another = await service.is_another(self._library, self._document, clients)
        except UnavailableError:
            socket.shut(closing.OVERLOADED, "not available now")
            return
        if is_another:
            socket.shut(closing.RESET, "another file is at the path now")
            return
        held, self._held = self._held or [], None
        first = varints.read_bytes(held[0], 2)[0]
        self._document.answer(socket, first, self._mark)
        for data in held[1:]:
            self.receive(data, is_text=False)

    def leave(self) -> None:
        """End."""
        self._library.leave(self._document, self._member.socket, self._author)


async def serve(library: Library, member: Member, on_text: OnText) -> None:
    """Let ``member`` edit the document that the socket is for, until the socket ends.

    Raises ``NotFoundError`` and ``UnavailableError``.
    """
    target = member.socket.target
    document = await library.open((target.project_id, target.path or ""))
    if document.is_dropped:
        raise UnavailableError
    editor = Editor(library, document, member, on_text)
    member.on_role = editor.role_changed
    editor.enter()
    try:
        await member.socket.wait_closed()
    finally:
        editor.leave()
