"""A request's body that nobody wanted: it is taken all the same, or the answer would not arrive.

Who answers while a body is still coming has its connection closed, and a connection that is closed
with bytes unread is reset: the gateway then has no answer to pass on, and says 503 for our 4xx.
"""

from contextlib import suppress

from litestar.types import HTTPReceiveMessage, Receive

from common.errors import InvalidError

_NOTHING = (b"", b"0")


def is_expected(headers: dict[bytes, bytes]) -> bool:
    """Whether a request has a body."""
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"") not in _NOTHING


class Body:
    """A ``receive`` that knows whether everything was read."""

    __slots__ = ("_is_over", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_over = False

    async def __call__(self) -> HTTPReceiveMessage:
        """Receive the next message; raises ``InvalidError`` where the body breaks off.

        Who went away does not read it; it is nobody's fault here, and not logged as one.
        """
        message: HTTPReceiveMessage = await self._receive()  # type: ignore[assignment]  # no socket's
        was_over = self._is_over
        if message["type"] != "http.request":
            self._is_over = True
            if not was_over:
                raise InvalidError.of("", "The body broke off.")
        elif not message["more_body"]:
            self._is_over = True
        return message

    async def finish(self, bytes_max: int) -> None:
        """Take what is left; more than ``bytes_max`` is left to the connection's fate."""
        taken = 0
        with suppress(InvalidError):
            while not self._is_over and taken <= bytes_max:
                message = await self()
                if message["type"] == "http.request":
                    taken += len(message["body"])
