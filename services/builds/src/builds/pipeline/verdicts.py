"""How a tool's run ended, said as what became of the build."""

import re

from msgspec import Struct

from builds.sandbox.types import Outcome, Verdict
from builds.types import BuildError, Diagnostic


class Excess(Struct, frozen=True):
    """A limit that a build can hit: its class, and what of it was too much."""

    code: str
    wanted: str


LIMITS: dict[Verdict, Excess] = {
    "memory": Excess("MEMORY_LIMIT", "more memory than a build may have"),
    "processes": Excess("PROCESS_LIMIT", "more processes than a build may have"),
    "disk": Excess("DISK_LIMIT", "more disk space than a build may fill"),
    "files": Excess("FILE_LIMIT", "more files than a build may make or open"),
    "cpu": Excess("CPU_LIMIT", "more of the processors than a build may use up"),
    "log_flood": Excess("LOG_LIMIT", "more to say than a log may hold"),
    "output_flood": Excess("OUTPUT_LIMIT", "more output than a build may make"),
}
"""The limits by what a sandbox calls them; time has a status of its own."""

# where the sandbox saw a tool fail and not the reason, the tool may know it: the words of its
# runtime and of the bundler's own work, at the beginning of a line, where no project's text stands
_SIGNS: dict[Verdict, re.Pattern[bytes]] = {
    "memory": re.compile(
        rb"^(?:(?:fatal error|runtime): .*(?:out of memory|cannot allocate memory)"
        rb"|[\w/]+: out of memory$)",
        re.MULTILINE,
    ),
    "processes": re.compile(
        rb"^(?:(?:fatal error|runtime): .*failed to create new OS thread|[\w/]+: can't fork)",
        re.MULTILINE,
    ),
    "cpu": re.compile(rb"^SIGXCPU: ", re.MULTILINE),
    "disk": re.compile(
        rb"^\S* ?\[ERROR\] (?:Failed to|Cannot) .*: (?:no space left on device|file too large)$"
        rb"|^SIGXFSZ: ",
        re.MULTILINE,
    ),
    "files": re.compile(
        rb"^\S* ?\[ERROR\] (?:Failed to|Cannot) .*: too many open files$", re.MULTILINE
    ),
}


def judge(tool: str, outcome: Outcome) -> None:
    """Raise ``BuildError`` for a run that was ended, or that hit a limit by itself."""
    if outcome.verdict == "timed_out":
        seconds = round(outcome.duration_ms / 1000)
        message = f"{tool} did not end within {seconds} s."
        raise BuildError("BUILD_TIMEOUT", message, status="timed_out")
    verdict = outcome.verdict if outcome.verdict in LIMITS else _seen_in(outcome)
    if verdict is not None:
        raise excess(verdict, f"{tool} wanted {LIMITS[verdict].wanted}.")


def excess(verdict: Verdict, message: str) -> BuildError:
    """What became of a build that hit a limit, with the limit's class in front."""
    found = Diagnostic(None, None, None, LIMITS[verdict].code, message, "error")
    return BuildError("RESOURCE_LIMIT", message, diagnostics=[found])


def _seen_in(outcome: Outcome) -> Verdict | None:
    if not outcome.code:
        return None
    return next((verdict for verdict, sign in _SIGNS.items() if sign.search(outcome.log)), None)


def errors_of(found: list[Diagnostic]) -> list[Diagnostic]:
    """Those of the diagnostics that a build fails for."""
    return [d for d in found if d.severity == "error"]
