"""Play thousands of random trials of files that are typed in and written over HTTP at once.

Everything is started here, on free ports and in a directory that goes away: ``make trials``.
"""

import argparse
import asyncio
import random
import signal
import sys
from types import FrameType

from fleet.control import FleetError
from fleet.testing import running
from tests.trials import report
from tests.trials.run import Given, run, say
from tests.trials.stage import STORES, NotReadyError

_SEEDS = 1_000_000
# the exit code of a run that did not come to its end
_NOTHING = 2


def main() -> int:
    """Run, print the figures, and say by the exit code whether all was as it should be."""
    given = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    say(f"seed {given.seed}; starting the stores")
    code = _NOTHING
    try:
        with running(STORES) as fleet:
            outcome = asyncio.run(run(fleet, given))
        print(report.figures(given, outcome))
        code = 0 if outcome.is_good else 1
    except* (FleetError, NotReadyError) as group:
        why = "\n".join(str(exc) for exc in group.exceptions)
        print(f"\nNothing was found out: {why}", file=sys.stderr)
    except* KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
    return code


def _arguments() -> Given:
    parser = argparse.ArgumentParser(prog="tests.trials", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None, help="of the dice; printed")
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument(
        "--restart-every", type=float, default=30.0, help="seconds; 0: nothing is restarted"
    )
    parser.add_argument("--only", type=int, default=0, help="the number of the trial to repeat")
    parser.add_argument("--faults-max", type=int, default=5, help="after which it ends")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(_SEEDS) if given.seed is None else given.seed
    return Given(
        count=given.count,
        seed=seed,
        at_once=given.at_once,
        restart_every_s=given.restart_every,
        only=given.only,
        faults_max=given.faults_max,
    )


def _end(number: int, _: FrameType | None) -> None:
    # an exception, so that every context on the way out stops what it started
    say(f"ended by {signal.Signals(number).name}")
    raise SystemExit(_NOTHING)


if __name__ == "__main__":
    sys.exit(main())
