"""How long a socket may stay: until its token ends, unless a newer one comes in time."""

import asyncio
import time
from collections.abc import Callable

from collab.identity.service import OVER, Doorman
from collab.identity.types import Identity
from collab.sockets import closing
from collab.sockets.gate import Gate, Member
from common.errors import ServiceError, UnauthenticatedError

type Answer = Callable[[ServiceError | None], None]


class Session:
    """The authentication of one socket, over time."""

    def __init__(self, member: Member, doorman: Doorman, gate: Gate) -> None:
        self._member = member
        self._doorman = doorman
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._timer = self._until(member.identity)
        self._task: asyncio.Task[None] | None = None

    def _until(self, identity: Identity) -> asyncio.TimerHandle:
        return self._loop.call_later(
            max(0.0, identity.expires_at - time.time()),
            self._member.socket.shut,
            closing.UNAUTHENTICATED,
            "the session's time is over",
        )

    def refresh(self, access_token: str, answer: Answer) -> None:
        """Stay until a newer token ends; a bad one, or somebody else's, ends the socket."""
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._refresh(access_token, answer))

    async def _refresh(self, access_token: str, answer: Answer) -> None:
        try:
            with self._gate.arrival() as ended:
                identity = await self._doorman.verify(access_token)
            if identity.session_id in ended:
                raise UnauthenticatedError(OVER)  # noqa: TRY301 - handled as one
            if identity.user_id != self._member.identity.user_id:
                raise UnauthenticatedError("This token is somebody else's.")  # noqa: TRY301 - handled as one
        except UnauthenticatedError as exc:
            answer(exc)
            self._member.socket.shut(closing.UNAUTHENTICATED, str(exc))
        except ServiceError as exc:
            answer(exc)
        else:
            self._timer.cancel()
            self._timer = self._until(identity)
            self._member.identity = identity
            answer(None)

    def end(self) -> None:
        """Forget the socket."""
        self._timer.cancel()
