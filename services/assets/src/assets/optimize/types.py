"""A job: its states, what is asked for, and what it leaves."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from assets.studio.messages import Medium

type Status = Literal["queued", "running", "complete", "failed", "cancelled"]
type Preset = Literal["web", "mobile", "lossless"]
type Side = Annotated[int, msgspec.Meta(ge=16, le=4_096)]
type Text = Annotated[str, msgspec.Meta(max_length=4_096, pattern="^[^\\x00]*$")]
# one character, or the first and the last of a stretch of them, as in CSS
type Unicodes = Annotated[
    str, msgspec.Meta(pattern="^U\\+[0-9A-Fa-f]{1,6}(-[0-9A-Fa-f]{1,6})?$", max_length=16)
]


class Wanted(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How an asset is to have fewer bytes. What is not said is as the preset has it.

    ``formats``, ``quality``, ``width`` and ``height`` are for pictures, ``bitrate`` for sounds,
    ``text`` and ``unicodes`` (the characters that are kept) for fonts.
    """

    preset: Preset = "web"
    formats: Annotated[list[Literal["webp", "avif", "png"]], msgspec.Meta(min_length=1)] | None = (
        None
    )
    quality: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    width: Side | None = None
    height: Side | None = None
    bitrate: Annotated[int, msgspec.Meta(ge=6_000, le=510_000)] | None = None
    text: Text | None = None
    unicodes: Annotated[list[Unicodes], msgspec.Meta(max_length=64)] | None = None


class Step(msgspec.Struct, frozen=True):
    """One file that is to be made; ``name`` says how, in one way of writing."""

    name: str
    options: dict[str, Any]


class Plan(msgspec.Struct, frozen=True):
    """What a job does: to which bytes, and how."""

    sha256: str
    mime_type: str
    size: int
    medium: Medium
    steps: list[Step]


class Claim(msgspec.Struct, frozen=True):
    """A job that is this worker's for a while."""

    job_id: UUID
    worker_id: UUID | None
    project_id: UUID
    given: dict[str, Any]
    attempt: int
    request_id: str
    traceparent: str


class Smaller(msgspec.Struct, frozen=True, rename="camel"):
    """One of the files that were made, and how many bytes of the original it saves."""

    options: str
    mime_type: str
    sha256: str
    size: int
    saved_bytes: int


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """What a job made. ``size_after`` is the smallest file's; ``saving`` its part of the whole."""

    size_before: int
    size_after: int
    saving: float
    variants: list[Smaller]
