"""Metrics as Prometheus takes them: what this process counted, and how long the queue is."""

from collections.abc import Iterator
from typing import override

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from builds.metrics import repository
from builds.metrics.meters import REGISTRY
from builds.metrics.repository import Queue
from common.database import Database


class Scraped(Collector):
    """What is told at once; a worker knows nothing of the queue."""

    def __init__(self, queue: Queue | None) -> None:
        self._queue = queue

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield from REGISTRY.collect()
        if self._queue is not None:
            yield from _gauges(self._queue)


def _gauges(queue: Queue) -> Iterator[Metric]:
    name = "worldloom_builds"
    yield GaugeMetricFamily(f"{name}_waiting", "Builds in the queue.", queue.waiting)
    yield GaugeMetricFamily(f"{name}_running", "Builds that a worker is busy with.", queue.running)
    yield GaugeMetricFamily(
        f"{name}_queue_age_seconds",
        "How long the first in the queue has waited.",
        queue.age_ms / 1e3,
    )


async def exposed(db: Database | None, accept: str) -> tuple[bytes, str]:
    """Return the metrics in the form that is asked for, and its type."""
    encode, media_type = choose_encoder(accept)
    queue = None if db is None else await repository.queue(db)
    return encode(Scraped(queue)), media_type
