"""What the service and its workers say to each other: frames of msgpack, each after its length."""

import struct
from typing import Any, Literal

import msgspec

LENGTH = struct.Struct(">I")
FRAME_BYTES_MAX = 4 << 20

type Medium = Literal["pictures", "sounds", "videos", "fonts", "models"]
type Work = Literal["examine", "thumbnail", "variant", "optimize"]
# what became of a task: it is done; the file is not what it should be, has too many pixels, takes
# too long to play; it took more than it may have; or we made a mistake
type Verdict = Literal["done", "unreadable", "too_large", "too_long", "demanding", "broken"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one task may take."""

    memory_bytes: int
    cpu_s: int
    wall_s: float
    file_bytes: int
    pixels_max: int
    duration_ms_max: int


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done with one file; what it makes is written to ``target``."""

    medium: Medium
    work: Work
    mime_type: str
    source: str
    target: str
    limits: Limits
    options: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a task. ``cause`` is for the log alone: a file may have written it."""

    verdict: Verdict
    facts: dict[str, Any] = {}
    cause: str = ""
    is_confined: bool = True
    peak_bytes: int = 0


class RefusedError(Exception):
    """The file is not worked on; the facts say which limit it is over."""

    def __init__(self, verdict: Verdict, cause: str, **facts: int) -> None:
        super().__init__(cause)
        self.verdict = verdict
        self.facts = facts


def frame(message: Task | Answer) -> bytes:
    """Encode a message for the other side."""
    content = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(content)) + content
