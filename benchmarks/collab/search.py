"""The highest pace at which words still arrive in time, found step by step."""

import math
from collections.abc import Callable

from benchmarks.collab import drive
from benchmarks.collab.crowd import Room
from benchmarks.collab.drive import Driven, Watch

P99_MAX_S = 0.1
_COARSE, _FINE, _CLOSE = 1.3, 1.12, 1.06
_STEPS_MAX = 6
_WARM_UP_S, _COARSE_S = 4.0, 1.0
# what else the machine did may have been to blame
_FAILURES_MAX = 2

type Tell = Callable[[Driven], None]


def is_in_time(driven: Driven) -> bool:
    """Whether 99 of 100 words arrived within the limit."""
    return not driven.is_hopeless and driven.p99 < P99_MAX_S


def about(rooms: list[Room], pace: float, watch: Watch, tell: Tell) -> float:
    """Return about the highest pace, from one that anybody can keep."""
    # compilers and caches begin cold
    tell(drive.type_on(rooms, pace, _WARM_UP_S, watch))
    best, failed = pace, 0
    while failed < _FAILURES_MAX:
        driven = drive.type_on(rooms, pace, _COARSE_S, watch)
        tell(driven)
        if is_in_time(driven):
            best, failed = pace, 0
        else:
            failed += 1
        pace *= _COARSE
    return best


def highest(
    rooms: list[Room], pace: float, seconds: float, watch: Watch, tell: Tell
) -> Driven | None:
    """Return the run at the highest pace, looked for from where it was the last time."""
    best: Driven | None = None
    too_fast = math.inf
    for _ in range(_STEPS_MAX):
        driven = _tried(rooms, pace, seconds, watch, tell)
        if is_in_time(driven):
            best = driven
        else:
            too_fast = pace
        if best is None:
            pace = too_fast / _FINE
        elif too_fast < best.pace * _CLOSE:
            break
        else:
            pace = min(best.pace * _FINE, math.sqrt(best.pace * too_fast))
    return best


def _tried(rooms: list[Room], pace: float, seconds: float, watch: Watch, tell: Tell) -> Driven:
    driven = drive.type_on(rooms, pace, seconds, watch)
    tell(driven)
    if not is_in_time(driven):
        driven = drive.type_on(rooms, pace, seconds, watch)
        tell(driven)
    return driven
