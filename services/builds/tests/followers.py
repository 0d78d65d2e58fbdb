"""Who follows a build of a test."""

from typing import override

from builds.pipeline.context import Told
from builds.types import StepStatus


class Nobody(Told):
    """Hears of a build, and keeps nothing."""

    @override
    def say(self, step: str, text: str) -> None: ...

    @override
    def begin(self, step: str) -> None: ...

    @override
    def end(self, step: str, status: StepStatus) -> None: ...
