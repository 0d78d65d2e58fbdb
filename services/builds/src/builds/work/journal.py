"""What a worker has to tell of one build, until it is written down."""

import asyncio
from datetime import UTC, datetime
from typing import override

import msgspec

from builds import steps
from builds.logs.masking import SECRET_CHARS_MAX, Mask
from builds.metrics import meters
from builds.pipeline.context import Told
from builds.settings import Settings
from builds.types import Step, StepStatus
from builds.work.repository import End, Line

CUT_LINE = " [the line is cut here]"
_TOO_MANY = "[The log is cut here: it has as many lines as it may.]"
_TOO_LONG = "[The log is cut here: it is as long as it may be.]"


def storable(text: str) -> str:
    """Text as a database can hold it: without NUL, and without halves of characters."""
    whole = text.encode(errors="replace").decode()
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


class Journal(Told):
    """Lines and steps of one build. ``news`` is set while some are not written."""

    def __init__(self, settings: Settings, next_line: int, mask: Mask) -> None:
        self._settings = settings
        self._number = next_line
        self._mask = mask
        self._steps: dict[str, Step] = {}
        self._is_cut = False
        self._is_left = False
        self._said = 0
        self._said_bytes = 0
        self.lines: list[Line] = []
        self.news = asyncio.Event()

    @property
    def steps(self) -> list[Step]:
        """The steps so far, in the order of the pipeline, whichever of two at once began first."""
        return sorted(self._steps.values(), key=lambda step: steps.ORDER.index(step.name))

    @override
    def say(self, step: str, text: str) -> None:
        for line in text.removesuffix("\n").split("\n"):
            if self._is_cut:
                return
            kept = self._kept(line.removesuffix("\r"))
            size = len(kept.encode()) + 1
            if self._said >= self._settings.log_lines_max:
                self._cut(step, _TOO_MANY)
            elif self._said_bytes + size > self._settings.log_bytes_max:
                self._cut(step, _TOO_LONG)
            else:
                self._said += 1
                self._said_bytes += size
                self._add(step, kept)

    def _kept(self, line: str) -> str:
        """A line as it may be kept: a database's text has no NUL, and no secret is anybody's."""
        longest = self._settings.log_line_chars_max
        if len(line) <= longest:
            return self._clean(line)
        # what begins within the line may end behind the cut, and is a secret all the same
        seen = self._clean(line[: longest + SECRET_CHARS_MAX])
        return seen[: min(longest, max(0, len(seen) - SECRET_CHARS_MAX))] + CUT_LINE

    def _clean(self, text: str) -> str:
        return self._mask(storable(text))

    def _cut(self, step: str, marker: str) -> None:
        self._is_cut = True
        self._add(step, marker)

    def _add(self, step: str, text: str) -> None:
        self.lines.append(Line(self._number, datetime.now(UTC), step, text))
        self._number += 1
        self.news.set()

    @override
    def begin(self, step: str) -> None:
        self._steps[step] = Step(step, datetime.now(UTC), None, "running")
        self._add(step, f"{step} ...")

    @override
    def end(self, step: str, status: StepStatus) -> None:
        begun = self._steps[step]
        duration_s = (datetime.now(UTC) - begun.started_at).total_seconds()
        duration_ms = round(duration_s * 1e3)
        if not self._is_left:
            meters.step_ended(step, status, duration_s)
        self._steps[step] = msgspec.structs.replace(begun, duration_ms=duration_ms, status=status)
        self._add(step, f"{step}: {status} after {duration_ms} ms")

    def leave(self) -> None:
        """Count no more: steps that end from now on are broken off."""
        self._is_left = True

    def written(self, count: int) -> None:
        """Forget the first ``count`` lines: they are written down."""
        del self.lines[:count]

    def masked(self, end: End) -> End:
        """The end of a build, whose messages tell no more than its log does."""
        message = None if end.error_message is None else self._mask(end.error_message)
        found = [
            msgspec.structs.replace(one, message=self._mask(one.message)) for one in end.diagnostics
        ]
        return msgspec.structs.replace(end, error_message=message, diagnostics=found)
