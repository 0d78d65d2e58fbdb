"""Sounds and moving pictures are opened alike: by what they are, and by nothing that they name."""

from typing import IO

import av
from av.container import InputContainer

from assets.studio.messages import RefusedError, Task
from assets.studio.work import import_all

import_all(av, "__main__")

_DEMUXERS = {
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/mp4": "mp4",
    "audio/webm": "matroska",
    "audio/aiff": "aiff",
    "video/ogg": "ogg",
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
    "video/webm": "matroska",
    "video/x-msvideo": "avi",
}
_MS = 1_000


def opened(task: Task, source: IO[bytes]) -> InputContainer:
    """Open the file with the one reader that is for its type."""
    source.seek(0)
    container = av.open(source, mode="r", format=_DEMUXERS[task.mime_type])
    for stream in container.streams:
        if stream.type in {"audio", "video"}:
            stream.codec_context.thread_count = 1
    return container


def duration_ms(task: Task, container: InputContainer) -> int | None:
    """How long it plays, by its header; raises where that is longer than allowed."""
    if container.duration is None or container.duration < 0:
        return None
    length = container.duration * _MS // av.time_base
    if length > task.limits.duration_ms_max:
        raise RefusedError("too_long", "duration", durationMs=length)
    return length
