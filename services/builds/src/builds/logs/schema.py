"""A build's log, as callers receive it."""

from datetime import datetime

from msgspec import Struct

from builds.types import Status, Step


class Line(Struct, frozen=True, rename="camel"):
    """A line of the log; lines are counted from 0."""

    line: int
    at: datetime
    step: str
    text: str


class LogPage(Struct, frozen=True, rename="camel"):
    """Some lines, and whether there may be more: ``next`` is the line to go on from."""

    lines: list[Line]
    next: int
    ended: bool


class State(Struct, frozen=True, rename="camel"):
    """How far a build has come."""

    status: Status
    steps: list[Step]
    error_code: str | None
    error_message: str | None
