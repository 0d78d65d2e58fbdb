"""One end of a link: frames in and out, signs of life, and no more waiting than fits."""

import asyncio
from collections.abc import Callable

import structlog

from collab.links.frames import Beat, Decoder, Frame, GarbledError, encode
from collab.settings import Settings

log = structlog.get_logger()

PATH = "/internal/link"
"""Where a process asks another one for a link; the gateway leads nobody there."""

_BEATS_MISSED_MAX = 3
_BEAT = Beat()


class Wire:
    """The frames of a transport; ``act`` gets what comes, and may raise ``GarbledError``."""

    def __init__(
        self, settings: Settings, transport: asyncio.Transport, act: Callable[[Frame], None]
    ) -> None:
        self._transport = transport
        self._act = act
        self._decoder = Decoder(settings.link_frame_bytes_max)
        self._bytes_max = settings.link_buffer_bytes_max
        self._beat_s = settings.link_beat_s
        self._loop = asyncio.get_running_loop()
        self._missed = 0
        self._timer = self._loop.call_later(self._beat_s, self._beat)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nobody should be answered at length."""
        return self._transport.get_write_buffer_size() > self._bytes_max

    def receive(self, data: bytes) -> None:
        """Act on what came; what cannot be understood ends the link."""
        self._missed = 0
        try:
            for frame in self._decoder.feed(data):
                self._act(frame)
        except GarbledError:
            log.warning("link_garbled")
            self.cut()

    def send(self, frame: Frame) -> None:
        """Send a frame, in its turn; a process that does not read at all is left alone."""
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > 2 * self._bytes_max:
            log.warning("link_overflows")
            self.cut()
            return
        self._transport.write(encode(frame))

    def _beat(self) -> None:
        self._missed += 1
        if self._missed > _BEATS_MISSED_MAX:
            log.warning("link_silent")
            self.cut()
            return
        self._timer = self._loop.call_later(self._beat_s, self._beat)
        self.send(_BEAT)

    def end(self) -> None:
        """End the link once everything is sent."""
        self._timer.cancel()
        self._transport.close()

    def cut(self) -> None:
        """End the link now."""
        self._timer.cancel()
        self._transport.abort()
