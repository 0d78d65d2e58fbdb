"""Medians and ratios, as a table for each case."""

from collections.abc import Sequence
from statistics import median

from benchmarks.harness.cases import Case
from benchmarks.harness.rounds import Measured

OURS = "projects"
BEHIND = "gateway"
PEERS = ("fastify-prisma", "fastify-pg")
# the whole way, against peers that check the token themselves and have nothing in front
GOALS_BEHIND = {"fastify-prisma": 2.0, "fastify-pg": 0.8}
_HEAD = ("", "req/s", "vs Prisma", "vs pg", "CPU us", "p50 ms", "p95 ms", "p99 ms", "RSS MB")


def tables(cases: Sequence[Case], results: list[Measured]) -> str:
    """Return a Markdown table for each case, and how it stands to its goals."""
    return "\n\n".join(_table(case, [r for r in results if r.case == case.name]) for case in cases)


def _table(case: Case, results: list[Measured]) -> str:
    names = list(dict.fromkeys(r.contender for r in results))
    rows = [_HEAD, *(_row(name, results) for name in sorted(names, key=_rank))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _rule(widths))
    return "\n".join([f"## {case.name}", "", *lines, *_goals(case, results)])


def _rank(name: str) -> int:
    return PEERS.index(name) if name in PEERS else len(PEERS)


def _row(name: str, results: list[Measured]) -> tuple[str, ...]:
    own = [r for r in results if r.contender == name]
    ratios = [ratio(results, name, peer) for peer in PEERS]
    return (
        name,
        f"{median(r.per_s for r in own):.0f}",
        *("" if r is None else f"{r:.2f}" for r in ratios),
        f"{median(r.cpu_us for r in own):.0f}",
        f"{median(r.p50_ms for r in own):.1f}",
        f"{median(r.p95_ms for r in own):.1f}",
        f"{median(r.p99_ms for r in own):.1f}",
        f"{max(r.memory_mb for r in own):.0f}",
    )


def ratio(results: list[Measured], name: str, peer: str) -> float | None:
    """Return the median over the rounds of one contender's requests a second by a peer's.

    Each round is compared with itself, so that what slows the machine for a while slows both.
    """
    by_round = {(r.contender, r.round): r.per_s for r in results}
    numbers = {r.round for r in results}
    pairs = [(by_round.get((name, n)), by_round.get((peer, n))) for n in numbers]
    found = [mine / theirs for mine, theirs in pairs if mine and theirs]
    return median(found) if found else None


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        row[0].ljust(widths[0]),
        *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
    ]
    return "| " + " | ".join(cells) + " |"


def _rule(widths: list[int]) -> str:
    return _line(("-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])), widths)


def _goals(case: Case, results: list[Measured]) -> list[str]:
    lines = []
    for name, goals in ((OURS, case.goals), (BEHIND, GOALS_BEHIND)):
        for peer, goal in goals.items():
            found = ratio(results, name, peer)
            if found is not None:
                verdict = "reached" if found >= goal else "missed"
                lines.append(f"- {name}, {goal:.1f} times {peer}: {verdict} with {found:.2f}")
    return ["", "Goals:", "", *lines] if lines else []
