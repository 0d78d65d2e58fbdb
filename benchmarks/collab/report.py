"""Medians and ratios, as a table for each case, and how they stand to the goals."""

from collections.abc import Callable, Sequence
from statistics import median, quantiles

from benchmarks.collab import joins, memory, peer, servers
from benchmarks.collab.drive import Driven
from benchmarks.collab.joins import Joined
from benchmarks.collab.loads import LOADS, TWO_NODES, Load, Loaded
from benchmarks.collab.memory import Remembered
from benchmarks.collab.search import P99_MAX_S
from benchmarks.projects.subject import table

GOAL_PER_CORE, GOAL_TWO_NODES = 1.2, 1.3
_NAMES = (peer.NAME, servers.NAME, servers.TWO_NODES)
_FULL, _DISTURBED = 0.95, 0.1

type Read = Callable[[Driven], float]


def _per_s(driven: Driven) -> float:
    return driven.delivered_per_s


def _per_cpu_s(driven: Driven) -> float:
    return driven.delivered_per_s / driven.share.server


# a column's head, what it shows, and whether it is followed by the ratio
_COLUMNS: tuple[tuple[str, Read, str, bool], ...] = (
    ("deliveries/s", _per_s, ",.0f", True),
    ("a CPU second", _per_cpu_s, ",.0f", True),
    ("p50 ms", lambda d: d.p50 * 1e3, ".1f", False),
    ("p99 ms", lambda d: d.p99 * 1e3, ".1f", False),
    ("server", lambda d: d.share.server, ".0%", False),
    ("harness", lambda d: d.share.harness, ".0%", False),
    ("stores", lambda d: d.share.stores, ".0%", False),
    ("others", lambda d: d.share.disturbed, ".0%", False),
    ("late ms", lambda d: d.late * 1e3, ".1f", False),
)


def tables(
    loaded: Sequence[Loaded], remembered: Sequence[Remembered], joined: Sequence[Joined]
) -> str:
    """Return everything."""
    parts = [
        _load(load, [one for one in loaded if one.load == load.name])
        for load in (*LOADS, TWO_NODES)
    ]
    parts += [_memory(remembered), _joins(joined)]
    return "\n\n".join(part for part in parts if part)


def _load(load: Load, loaded: list[Loaded]) -> str:
    beside = servers.NAME if load is TWO_NODES else peer.NAME
    head = [""]
    for title, _, _, has_ratio in _COLUMNS:
        head += [title, "ratio"] if has_ratio else [title]
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for name in _NAMES:
        driven = [one.driven for one in loaded if one.contender == name and one.driven]
        if driven:
            rows.append(_row(name, driven, loaded, beside))
            notes += _notes(load, name, driven)
    if not rows:
        return ""
    notes += _goal(load, loaded)
    return "\n".join([f"## {load.name}", "", table(tuple(head), rows), "", *notes])


def _row(name: str, driven: list[Driven], loaded: list[Loaded], beside: str) -> tuple[str, ...]:
    cells = [name]
    for _, read, form, has_ratio in _COLUMNS:
        cells.append(format(median(map(read, driven)), form))
        if has_ratio:
            found = ratio(loaded, name, beside, read)
            cells.append("" if found is None else f"{found:.2f}")
    return tuple(cells)


def ratio(loaded: list[Loaded], name: str, beside: str, read: Read) -> float | None:
    """Return the median over the rounds of one round's quotient of two contenders."""
    by_round = {(one.contender, one.round): one.driven for one in loaded if one.driven}
    pairs = [
        (by_round.get((name, number)), by_round.get((beside, number)))
        for number in {one.round for one in loaded}
    ]
    found = [read(mine) / read(theirs) for mine, theirs in pairs if mine and theirs]
    return median(found) if found else None


def _notes(load: Load, name: str, driven: list[Driven]) -> list[str]:
    notes = []
    if not load.is_searched:
        p99 = median(d.p99 for d in driven)
        verdict = "yes" if p99 < P99_MAX_S else "no"
        notes.append(f"- {name}, p99 below {P99_MAX_S * 1e3:.0f} ms: {verdict}, {p99 * 1e3:.1f} ms")
    if median(d.share.other_cores for d in driven) > _FULL:
        notes.append(f"- {name}: what is beside the server had too little: it may do better")
    if median(d.share.disturbed for d in driven) > _DISTURBED:
        notes.append(
            f"- {name}: others used the server's processor: measure again when it is quiet"
        )
    return notes


def _goal(load: Load, loaded: list[Loaded]) -> list[str]:
    if not load.is_searched:
        return []
    if load is TWO_NODES:
        found = ratio(loaded, servers.TWO_NODES, servers.NAME, lambda d: 1 / _per_cpu_s(d))
        if found is None:
            return []
        verdict = "reached" if found <= GOAL_TWO_NODES else "missed"
        return [f"- goal, a delivery costs at most {GOAL_TWO_NODES} times: {verdict}, {found:.2f}"]
    found = ratio(loaded, servers.NAME, peer.NAME, _per_cpu_s)
    if found is None:
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
    return "\n".join([f"## To join a document of {joins.EDITS:,} edits", "", table(head, rows)])
