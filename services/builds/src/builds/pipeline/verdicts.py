"""How a tool's run ended, said as what became of the build."""

from builds.sandbox.types import Outcome
from builds.types import BuildError, Diagnostic

_FULL = (b"no space left on device", b"file too large")
_TOO_MUCH = {
    "memory": "more memory than a build may have",
    "processes": "more processes than a build may have",
    "log_flood": "more to say than a log may hold",
    "output_flood": "more output than a build may make",
}
_OUT_OF_MEMORY = (b"out of memory", b"cannot allocate memory")


def judge(tool: str, outcome: Outcome) -> None:
    """Raise ``BuildError`` for a run that was ended, or that hit a limit by itself."""
    if outcome.verdict == "timed_out":
        seconds = round(outcome.duration_ms / 1000)
        message = f"{tool} did not end within {seconds} s."
        raise BuildError("BUILD_TIMEOUT", message, status="timed_out")
    excess = _TOO_MUCH.get(outcome.verdict) or _excess_in(outcome)
    if excess:
        raise BuildError("RESOURCE_LIMIT", f"{tool} wanted {excess}.")


def _excess_in(outcome: Outcome) -> str:
    said = outcome.log.lower()
    if outcome.code and any(sign in said for sign in _FULL):
        return _TOO_MUCH["output_flood"]
    if outcome.code and any(sign in said for sign in _OUT_OF_MEMORY):
        return _TOO_MUCH["memory"]
    return ""


def errors_of(found: list[Diagnostic]) -> list[Diagnostic]:
    """Those of the diagnostics that a build fails for."""
    return [d for d in found if d.severity == "error"]
