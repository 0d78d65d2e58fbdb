"""Kill the projects service a hundred times in the midst of its work, and see that nothing is lost.

Then do every kind of harm to files that people type in, and see the same.
Everything is started here, on free ports and in a directory that goes away: ``make faults``.
"""

import argparse
import asyncio
import random
import signal
import sys
from types import FrameType

from fleet.control import FleetError
from fleet.testing import running
from tests.faults import live, live_report, report
from tests.faults.run import Given, run, say
from tests.faults.stage import STORES, NotReadyError
from tests.trials import stage as trials

_SEEDS = 1_000_000
# the exit code of a run that did not come to its end
_NOTHING = 2


def main() -> int:
    """Run, print the figures, and say by the exit code whether all was as it should be."""
    given, live_rounds = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    say(f"seed {given.seed}; starting the stores")
    code = _NOTHING
    try:
        is_good = True
        if given.kills or given.postgres_kills:
            with running(STORES) as fleet:
                outcome = asyncio.run(run(fleet, given))
            print(report.figures(given, outcome))
            is_good = not outcome.tally.faults
        if live_rounds:
            with running(trials.STORES) as fleet:
                found = asyncio.run(live.run(fleet, live_rounds, given.seed, say))
            print(live_report.figures(found))
            is_good = is_good and live_report.is_good(found)
        code = 0 if is_good else 1
    except* (FleetError, NotReadyError, trials.NotReadyError) as group:
        why = "\n".join(str(exc) for exc in group.exceptions)
        print(f"\nNothing was found out: {why}", file=sys.stderr)
    except* KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
    return code


def _arguments() -> tuple[Given, int]:
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of the service")
    parser.add_argument("--postgres-kills", type=int, default=3, help="of its database")
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--live-rounds", type=int, default=3, help="of harm to who types")
    parser.add_argument("--seed", type=int, default=None, help="of the dice; printed")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(_SEEDS) if given.seed is None else given.seed
    return Given(given.kills, given.postgres_kills, given.clients, seed), given.live_rounds


def _end(number: int, _: FrameType | None) -> None:
    # an exception, so that every context on the way out stops what it started
    say(f"ended by {signal.Signals(number).name}")
    raise SystemExit(_NOTHING)


if __name__ == "__main__":
    sys.exit(main())
