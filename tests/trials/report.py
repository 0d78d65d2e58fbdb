"""The figures of a run."""

from tests.trials.run import Given, Outcome


def figures(given: Given, outcome: Outcome) -> str:
    """Return the figures, and what was wrong."""
    lines = [f"seed {given.seed}, {given.at_once} at once, {outcome.seconds:.0f} s", ""]
    pairs = [("trials", outcome.done), ("failed", len(outcome.failed))]
    pairs += [("files still marked as live", len(outcome.marks_left))]
    pairs += [("restarts", len(outcome.restarts)), *sorted(outcome.counts.items())]
    pairs += [(f"closed with {code}", count) for code, count in sorted(outcome.closes.items())]
    pairs += sorted(outcome.warnings.items())
    lines += [f"{name:44} {count:>9}" for name, count in pairs]
    lines += ["", *outcome.marks_left]
    if outcome.failed:
        lines += ["", f"Restarts: {outcome.restarts}", outcome.tails]
        lines += [
            "",
            *(f"{seed}: {told}" for seed, all_ in outcome.failed for told in all_),
        ]
    lines += ["", "All is as it should be." if outcome.is_good else "NOT as it should be."]
    return "\n".join(lines)
