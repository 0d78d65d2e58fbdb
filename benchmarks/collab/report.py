"""Medians and ratios, as a table for each case, and how they stand to the goals."""

from collections.abc import Callable, Sequence
from statistics import median, quantiles

from benchmarks.collab import joins, memory, peer, servers
from benchmarks.collab.drive import Driven
from benchmarks.collab.joins import Joined
from benchmarks.collab.loads import LOADS, Load, Loaded
from benchmarks.collab.memory import Remembered
from benchmarks.collab.search import P99_MAX_S
from benchmarks.projects.subject import table

GOAL_PER_CORE = 1.2
_NAMES = (peer.NAME, servers.NAME)
_LOAD_HEAD = (
    "",
    "deliveries/s",
    "ratio",
    "a CPU second",
    "ratio",
    "p50 ms",
    "p99 ms",
    "server %",
    "harness %",
    "beside %",
    "others %",
    "late ms",
)


def tables(
    loaded: Sequence[Loaded], remembered: Sequence[Remembered], joined: Sequence[Joined]
) -> str:
    """Return everything."""
    parts = [_load(load, [one for one in loaded if one.load == load.name]) for load in LOADS]
    parts += [_memory(remembered), _joins(joined)]
    return "\n\n".join(part for part in parts if part)


def _load(load: Load, loaded: list[Loaded]) -> str:
    if not loaded:
        return ""
    rows, notes = [], []
    for name in _NAMES:
        driven = [one.driven for one in loaded if one.contender == name and one.driven]
        if driven:
            rows.append(_row(name, driven, loaded))
            notes += _notes(load, name, driven)
    return "\n".join(
        [f"## {load.name}", "", table(_LOAD_HEAD, rows), "", *notes, *_goal(load, loaded)]
    )


def _per_cpu(driven: Driven) -> float:
    return driven.delivered_per_s / driven.share.server


def _per_s(driven: Driven) -> float:
    return driven.delivered_per_s


def _row(name: str, driven: list[Driven], loaded: list[Loaded]) -> tuple[str, ...]:
    def middle(read: Callable[[Driven], float]) -> float:
        return median(map(read, driven))

    return (
        name,
        f"{middle(_per_s):,.0f}",
        _said(ratio(loaded, name, _per_s)),
        f"{middle(_per_cpu):,.0f}",
        _said(ratio(loaded, name, _per_cpu)),
        f"{middle(lambda d: d.p50) * 1e3:.1f}",
        f"{middle(lambda d: d.p99) * 1e3:.1f}",
        f"{middle(lambda d: d.share.server):.0%}",
        f"{middle(lambda d: d.share.harness):.0%}",
        f"{middle(lambda d: d.share.stores):.0%}",
        f"{middle(lambda d: d.share.disturbed):.0%}",
        f"{middle(lambda d: d.late) * 1e3:.1f}",
    )


def _said(found: float | None) -> str:
    return "" if found is None else f"{found:.2f}"


def ratio(loaded: list[Loaded], name: str, read: Callable[[Driven], float]) -> float | None:
    """Return the median over the rounds of one round's quotient of a contender and the peer."""
    by_round = {(one.contender, one.round): one.driven for one in loaded if one.driven}
    pairs = [
        (by_round.get((name, number)), by_round.get((peer.NAME, number)))
        for number in {one.round for one in loaded}
    ]
    found = [read(mine) / read(theirs) for mine, theirs in pairs if mine and theirs]
    return median(found) if found else None


_FULL = 0.95


def _notes(load: Load, name: str, driven: list[Driven]) -> list[str]:
    notes = []
    if load.is_searched:
        if median(d.share.other_cores for d in driven) > _FULL:
            notes.append(f"- {name}: the processors beside the server's were full: it may do more.")
    else:
        p99 = median(d.p99 for d in driven)
        verdict = "yes" if p99 < P99_MAX_S else "no"
        notes.append(f"- {name}, p99 below {P99_MAX_S * 1e3:.0f} ms: {verdict}, {p99 * 1e3:.1f} ms")
    return notes


def _goal(load: Load, loaded: list[Loaded]) -> list[str]:
    found = ratio(loaded, servers.NAME, _per_cpu)
    if found is None or not load.is_searched:
        return []
    verdict = "reached" if found >= GOAL_PER_CORE else "missed"
    return [f"- goal, {GOAL_PER_CORE} times {peer.NAME} for each core: {verdict} with {found:.2f}"]


def _memory(remembered: Sequence[Remembered]) -> str:
    if not remembered:
        return ""
    head = ("", "RSS MB empty", "RSS MB full", "KiB a connection", "KiB a document")
    rows: list[tuple[str, ...]] = [
        (
            one.contender,
            f"{one.empty_rss / 2**20:.0f}",
            f"{one.full_rss / 2**20:.0f}",
            f"{one.connection / 1024:.1f}",
            f"{one.document / 1024:.1f}",
        )
        for one in remembered
    ]
    about = (
        f"{memory.CONNECTIONS:,} idle connections to {memory.ROOMS} documents, then "
        f"{memory.DOCUMENTS} documents of {memory.TEXT_BYTES / 1024:.0f} KiB; proportional memory."
    )
    return "\n".join(["## Memory", "", about, "", table(head, rows)])


def _joins(joined: Sequence[Joined]) -> str:
    if not joined:
        return ""
    head = ("", "p50 ms", "p99 ms", f"{joins.AT_ONCE} at once ms", "first ms", "kB")
    rows: list[tuple[str, ...]] = []
    for name in _NAMES:
        own = [one for one in joined if one.contender == name]
        if own:
            each = [took for one in own for took in one.each]
            rows.append(
                (
                    name,
                    f"{median(each) * 1e3:.1f}",
                    f"{quantiles(each, n=100)[-1] * 1e3:.1f}",
                    f"{median(one.at_once for one in own) * 1e3:.0f}",
                    f"{median(one.first for one in own) * 1e3:.1f}",
                    f"{median(one.received for one in own) / 1e3:.0f}",
                )
            )
    return "\n".join(["## To join a document of 100,000 edits", "", table(head, rows)])
