"""The figures of a run, and the logs of what failed."""

from tests.trials.run import Given, Outcome

_LOGS_MAX = 3


def figures(given: Given, outcome: Outcome) -> str:
    """Return the figures; a trial that failed is told whole."""
    lines = [f"seed {given.seed}, {given.at_once} at once, {outcome.seconds:.0f} s", ""]
    pairs = [("trials", outcome.done), ("failed", len(outcome.failed))]
    pairs += [("files still marked as live", outcome.marks_left)]
    pairs += [("restarts", len(outcome.restarts)), *sorted(outcome.counts.items())]
    pairs += [(f"closed with {code}", count) for code, count in sorted(outcome.closes.items())]
    lines += [f"{name:44} {count:>9}" for name, count in pairs]
    for seed, faults, log in outcome.failed[:_LOGS_MAX]:
        lines += ["", f"Trial {seed}:", *faults, "", *log]
    if outcome.failed:
        lines += ["", f"Restarts: {outcome.restarts}", outcome.tails]
        lines += ["", *(f"{seed}: {fault}" for seed, told, _ in outcome.failed for fault in told)]
    lines += ["", "All is as it should be." if outcome.is_good else "NOT as it should be."]
    return "\n".join(lines)
