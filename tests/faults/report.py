"""The figures of a run."""

from tests.faults.run import Given, Outcome
from tests.faults.steps import QUICKER

# what must not be, and so is told even where there is none
_NEVER = (
    "lost or twice",
    "lost",
    "overwritten",
    "half batches",
    "half imports",
    "failed jobs",
    "stray projects",
    "broken histories",
    "wrong heads",
    "wrong trees",
    "wrong pasts",
    "events missing",
    "events of nothing",
    "changes without an event",
    "events out of order",
    "events tell another tree",
    "wrong answers",
    "broken answers",
)
_TOLD_MAX = 20


def figures(given: Given, outcome: Outcome) -> str:
    """Return the figures, and the first of what is wrong."""
    lines = [f"seed {given.seed}, {given.clients} clients, {outcome.seconds:.0f} s", ""]
    pairs = _done(outcome) + _heard(outcome) + _looked(outcome)
    pairs += [(kind, str(outcome.tally.counts[kind])) for kind in _NEVER]
    lines += [f"{name:32} {value:>10}" for name, value in pairs]
    faults = outcome.tally.faults
    if faults:
        lines += ["", *faults[:_TOLD_MAX], "", "What the service logged:", outcome.log]
    lines.append("")
    lines.append("All is as it should be." if not faults else f"{len(faults)} FAULTS")
    return "\n".join(lines)


def _done(outcome: Outcome) -> list[tuple[str, str]]:
    counts = outcome.tally.counts
    kinds = ["kills", "kills of PostgreSQL", "writes", "deletions", "moves", "batches", "projects"]
    kinds += ["imports", "copies", "unanswered", "unavailable", "repeated, and found done", QUICKER]
    recoveries = outcome.recoveries or [0.0]
    return [
        *((kind, str(counts[kind])) for kind in kinds),
        ("longest recovery", f"{max(recoveries):.2f} s"),
        ("median recovery", f"{sorted(recoveries)[len(recoveries) // 2]:.2f} s"),
    ]


def _heard(outcome: Outcome) -> list[tuple[str, str]]:
    subscriber = outcome.subscriber
    stored = subscriber.stored
    return [
        ("events delivered", str(subscriber.deliveries)),
        ("events in the stream", str(stored.total())),
        ("of those twice in the stream", str(stored.total() - len(stored))),
        ("events after deduplication", str(len(subscriber.events))),
    ]


def _looked(outcome: Outcome) -> list[tuple[str, str]]:
    looked = outcome.looked
    return [
        ("changes", str(looked.changes)),
        ("commits", str(looked.commits)),
        ("past trees compared", str(looked.moments)),
        ("contents read", str(looked.contents)),
        ("numbers inside of a commit", str(looked.inside)),
        ("temporary files left", str(outcome.left_over)),
    ]
