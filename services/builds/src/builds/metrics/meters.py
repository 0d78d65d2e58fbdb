"""What this process has counted since it started. Labels are words of the code's own, and few."""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # the client leaves it untyped

REGISTRY = CollectorRegistry()
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)

_STEPS = Histogram(
    "worldloom_builds_step_duration_seconds",
    "How long the steps of builds took.",
    ("step", "status"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_ENDED = Counter(
    "worldloom_builds_ended",
    "Builds that have ended, by how they did.",
    ("status", "code"),
    registry=REGISTRY,
)
_CACHE = Counter(
    "worldloom_builds_cache",
    "Builds that were wanted, by whether what they make was there already.",
    ("result",),
    registry=REGISTRY,
)


def step_ended(step: str, status: str, seconds: float) -> None:
    """Count a step of a build."""
    _STEPS.labels(step, status).observe(seconds)


def ended(status: str, code: str | None = None) -> None:
    """Count a build that has ended; ``code`` says why it came to nothing."""
    _ENDED.labels(status, code or "").inc()


def wanted(*, is_cached: bool) -> None:
    """Count a build that was wanted."""
    _CACHE.labels("hit" if is_cached else "miss").inc()
