"""What a worker has to tell of one build, until it is written down."""

import asyncio
from datetime import UTC, datetime
from typing import override

import msgspec

from builds import steps
from builds.pipeline.context import Told
from builds.settings import Settings
from builds.types import Step, StepStatus
from builds.work.repository import Line

_CUT = "The log is cut here: it has as many lines as it may."


class Journal(Told):
    """Lines and steps of one build. ``news`` is set while some are not written."""

    def __init__(self, settings: Settings, next_line: int) -> None:
        self._settings = settings
        self._number = next_line
        self._steps: dict[str, Step] = {}
        self._is_cut = False
        self._said = 0
        self.lines: list[Line] = []
        self.news = asyncio.Event()

    @property
    def steps(self) -> list[Step]:
        """The steps so far, in the order of the pipeline, whichever of two at once began first."""
        return sorted(self._steps.values(), key=lambda step: steps.ORDER.index(step.name))

    @override
    def say(self, step: str, text: str) -> None:
        for line in text.splitlines() or [""]:
            if self._is_cut:
                return
            self._is_cut = self._said >= self._settings.log_lines_max
            self._add(step, _CUT if self._is_cut else line)

    def _add(self, step: str, text: str) -> None:
        # a database's text has no NUL
        kept = text[: self._settings.log_line_chars_max].replace("\0", "\N{REPLACEMENT CHARACTER}")
        self.lines.append(Line(self._number, datetime.now(UTC), step, kept))
        self._number += 1
        self._said += 1
        self.news.set()

    @override
    def begin(self, step: str) -> None:
        self._steps[step] = Step(step, datetime.now(UTC), None, "running")
        self._add(step, f"{step} ...")

    @override
    def end(self, step: str, status: StepStatus) -> None:
        begun = self._steps[step]
        duration_ms = round((datetime.now(UTC) - begun.started_at).total_seconds() * 1e3)
        self._steps[step] = msgspec.structs.replace(begun, duration_ms=duration_ms, status=status)
        self._add(step, f"{step}: {status} after {duration_ms} ms")

    def written(self, count: int) -> None:
        """Forget the first ``count`` lines: they are written down."""
        del self.lines[:count]
