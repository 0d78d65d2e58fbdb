"""Measure what builds cost: ``python -m benchmarks.builds.bench``.

How long a game takes from POST to success, what the sandbox adds to the tools, and what twenty
builds take from whoever reads a project meanwhile. Everything is started here, and stopped again.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from statistics import median

import httpx

from benchmarks.builds import crowd, games, hand, neighbours
from benchmarks.builds.crew import Crew, crew
from benchmarks.harness import machine
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.processes import StartError
from benchmarks.projects import subject

type Rounds = Callable[[Crew, int], Iterator[float]]

# what is measured, and within how many seconds it is meant to succeed
GAMES: dict[str, tuple[Rounds, float]] = {
    "cold": (games.cold, 2.0),
    "warm": (games.warm, 1.0),
    "cached": (games.cached, 0.3),
    "phaser": (games.engine, 1.5),
}
CASES = (*GAMES, "hand", "queue", "neighbours")
_SANDBOX_GOAL = 1.3
_QUEUE_GOAL = 2.0
_NEIGHBOUR_GOAL = 1.5
_MISSED = 2


def main() -> int:
    """Measure, print, and say by the exit code whether answers were right and the goals reached."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", action="append", choices=CASES, help="only this; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    subject.ends_by_signal()
    try:
        with crew() as made:
            context = made.context
            about = machine.described(context.programs.postgres_bin, context.settings.path)
            print("\n".join(["", *about]))
            goals = [_measured(case, made, given.rounds) for case in given.case or CASES]
    except (BadAnswerError, StartError, TimeoutError, httpx.HTTPError) as exc:
        print(f"\nNothing was measured: {type(exc).__name__}: {exc}", file=sys.stderr)
        return 1
    return 0 if all(goals) else _MISSED


def _measured(case: str, made: Crew, rounds: int) -> bool:
    if case == "hand":
        return _hand(list(hand.turns(made, rounds)))
    if case == "queue":
        return _queue(list(crowd.rounds(made, rounds)))
    if case == "neighbours":
        return _neighbours(list(neighbours.turns(made, rounds)))
    measure, goal_s = GAMES[case]
    times = list(measure(made, rounds))
    print(f"\n## A game, {case}: from POST to success\n")
    print(f"{len(times)} rounds: {', '.join(f'{time:.3f}' for time in times)} s\n")
    return _said(f"{case}, by its median", median(times), goal_s, "s")


def _hand(turns: list[hand.Turn]) -> bool:
    head = ("", "sandboxed s", "by hand s", "ratio", "whole build s")
    rows: list[tuple[str, ...]] = [
        (
            str(number),
            f"{turn.sandboxed_s:.3f}",
            f"{turn.by_hand_s:.3f}",
            f"{turn.sandboxed_s / turn.by_hand_s:.2f}",
            f"{turn.build_s:.3f}",
        )
        for number, turn in enumerate(turns, 1)
    ]
    print(f"\n## Check and bundle, in the sandbox and by hand\n\n{subject.table(head, rows)}\n")
    ratio = median(turn.sandboxed_s / turn.by_hand_s for turn in turns)
    return _said("the sandbox takes", ratio, _SANDBOX_GOAL, "times as long")


def _queue(rounds: list[crowd.Round]) -> bool:
    head = ("", "idle p95 ms", "busy p95 ms", "ratio", f"{crowd.BUILDS} builds s")
    rows: list[tuple[str, ...]] = [
        (
            str(number),
            f"{one.idle_ms:.1f}",
            f"{one.busy_ms:.1f}",
            f"{one.busy_ms / one.idle_ms:.2f}",
            f"{one.builds_s:.1f}",
        )
        for number, one in enumerate(rounds, 1)
    ]
    print(f"\n## Reading a project while builds wait\n\n{subject.table(head, rows)}\n")
    ratio = median(one.busy_ms / one.idle_ms for one in rounds)
    return _said("p95 while twenty builds wait is", ratio, _QUEUE_GOAL, "times that of before")


def _neighbours(turns: list[neighbours.Turn]) -> bool:
    head = ("what it takes", "alone s", "beside it s", "ratio")
    rows: list[tuple[str, ...]] = [
        (
            one.beside,
            f"{one.alone_s:.3f}",
            f"{one.beside_s:.3f}",
            f"{one.beside_s / one.alone_s:.2f}",
        )
        for one in turns
    ]
    print(f"\n## A game beside an abusive build\n\n{subject.table(head, rows)}\n")
    ratio = median(one.beside_s / one.alone_s for one in turns)
    return _said("beside an abusive build a game takes", ratio, _NEIGHBOUR_GOAL, "times as long")


def _said(what: str, found: float, goal: float, unit: str) -> bool:
    is_reached = found <= goal
    verdict = "reached" if is_reached else "missed"
    print(f"- {what} {found:.2f} {unit}, at most {goal:g}: {verdict}", flush=True)
    return is_reached


if __name__ == "__main__":
    sys.exit(main())
