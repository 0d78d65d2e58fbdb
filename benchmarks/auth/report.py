"""Medians and ratios: how much of its p95 a read loses to logins."""

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

GOAL = 1.5
_HEAD = (
    "",
    "req/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "CPU %",
    "RSS MB",
    "logins/s",
    "login p50 ms",
    "p95 ms",
    "refused",
)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One load in one round, with or without logins beside it."""

    load: str
    logins: int
    round: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_percent: float
    memory_mb: float
    logins_per_s: float
    login_p50_ms: float
    login_p95_ms: float
    refused: int


def table(load: str, results: Sequence[Measured]) -> str:
    """Return a Markdown table of one load, and how it stands to the goal."""
    own = [r for r in results if r.load == load]
    counts = sorted({r.logins for r in own})
    rows = [_HEAD, *(_row(f"{n} logins at once" if n else "alone", own, n) for n in counts)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(tuple("-" * width for width in widths), widths))
    found = ratio(own)
    verdict = "reached" if found <= GOAL else "missed"
    goal = f"p95 with logins is {found:.2f} times p95 without, at most {GOAL}: {verdict}."
    return "\n".join([f"## GET /users/me, {load}", "", *lines, "", goal])


def ratio(results: Sequence[Measured]) -> float:
    """Return the median over the rounds of p95 with logins by p95 without."""
    with_, without = (
        {r.round: r.p95_ms for r in results if bool(r.logins) is storm} for storm in (True, False)
    )
    return median(with_[number] / without[number] for number in with_)


def _row(name: str, results: Sequence[Measured], logins: int) -> tuple[str, ...]:
    own = [r for r in results if r.logins == logins]

    def of(value: Callable[[Measured], float], form: str = ".1f") -> str:
        return format(median(value(r) for r in own), form)

    rates = ("", "", "", "")
    if logins:
        rates = (
            of(lambda r: r.logins_per_s),
            of(lambda r: r.login_p50_ms, ".0f"),
            of(lambda r: r.login_p95_ms, ".0f"),
            str(sum(r.refused for r in own)),
        )
    return (
        name,
        of(lambda r: r.per_s, ".0f"),
        of(lambda r: r.p50_ms, ".2f"),
        of(lambda r: r.p95_ms, ".2f"),
        of(lambda r: r.p99_ms, ".2f"),
        of(lambda r: r.cpu_percent, ".0f"),
        format(max(r.memory_mb for r in own), ".0f"),
        *rates,
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        row[0].ljust(widths[0]),
        *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
    ]
    return "| " + " | ".join(cells) + " |"
