"""The figures of what happened to files that people typed in."""

from statistics import median

from tests.faults.ghosts import LIFETIME_S
from tests.faults.live import Found

_TOLD_MAX = 400


def is_good(found: Found) -> bool:
    """Whether all was as it should be."""
    return not found.faults and all(s <= LIFETIME_S for s in found.ghosts.values())


def figures(found: Found) -> str:
    """Return the figures, and the first of what is wrong."""
    counts = found.counts
    lost = sum("is lost" in fault for fault in found.faults)
    doubled = sum("there twice" in fault for fault in found.faults)
    lines = [f"typing and writing at once, {found.seconds:.0f} s", ""]
    pairs: list[tuple[str, str]] = [
        ("faults", str(sum(map(len, found.recoveries.values())))),
        ("edits acknowledged", str(counts["acknowledged"])),
        ("lost", str(lost)),
        ("doubled", str(doubled)),
        ("writes acknowledged", str(counts["writes"] + counts["writes upon what was read"])),
        ("texts compared", str(counts["things seen"])),
        ("requests done", str(counts["requests done"])),
        ("requests refused", str(counts["requests refused"])),
        ("requests failed", str(counts["requests failed"])),
    ]
    for kind, seconds in sorted(found.recoveries.items()):
        told = f"{median(seconds):.1f} s, at most {max(seconds):.1f} s"
        pairs.append((f"in sync again: {kind}", told))
    pairs += [(f"a ghost is gone {where}", f"{s:.1f} s") for where, s in found.ghosts.items()]
    pairs += [(f"closed with {code}", str(count)) for code, count in sorted(found.closes.items())]
    lines += [f"{name:44} {value:>24}" for name, value in pairs]
    if not is_good(found):
        lines += ["", *found.faults[:_TOLD_MAX], ""]
        lines += [f"{name:44} {count:>24}" for name, count in sorted(found.warnings.items())]
    lines += ["", "All is as it should be." if is_good(found) else "NOT as it should be."]
    return "\n".join(lines)
