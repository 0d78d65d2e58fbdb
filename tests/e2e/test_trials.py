"""Some of the random trials of files that are typed in and written over HTTP at once."""

from fleet.testing import running
from tests.trials.report import figures
from tests.trials.run import Given, run
from tests.trials.stage import STORES

# others than anybody else's; `make trials` plays thousands of others
GIVEN = Given(count=60, seed=7, at_once=12, restart_every_s=12)


async def test_whoever_types_and_writes_at_once_loses_nothing_and_sees_nothing_twice() -> None:
    # stores of its own: no other process of collab takes a part of it
    with running(STORES) as fleet:
        outcome = await run(fleet, GIVEN)
    assert outcome.is_good, figures(GIVEN, outcome)
    assert outcome.done == GIVEN.count
