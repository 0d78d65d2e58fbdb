"""Every attack on a sandbox of this machine: ``python -m services.builds.tests.trial container``.

The suite runs them on the sandbox that is everywhere. A container needs an engine and the image of
``deploy/sandbox``; which engine says SANDBOX_ENGINE.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import msgspec
from services.builds.tests.attacks import EXCESSES, LIMITS, LOOKS, REFUSED, shell

from builds.pipeline import verdicts
from builds.sandbox import choice
from builds.sandbox.types import Outcome, Sandbox
from builds.settings import Settings
from builds.types import BuildError
from common.settings import load

_PATIENT = msgspec.structs.replace(LIMITS, wall_s=60.0)
_UNNEEDED = {"DATABASE_URL": "-", "FLEET_SECRET": "-", "NATS_URL": "-", "PLAY_SECRET": "-"}


async def trial(sandbox: Sandbox) -> AsyncIterator[tuple[str, bool, str]]:
    """Try everything; yield what was tried, whether it was held, and how it ended."""

    async def run(script: str, *, is_patient: bool = False) -> Outcome:
        limits = _PATIENT if is_patient else LIMITS
        return await sandbox.run(shell(script), limits, lambda _: None)

    for name, (script, expected) in EXCESSES.items():
        outcome, neighbour = await asyncio.gather(
            run(script), run("sleep 0.5; echo > /o/x && echo fine", is_patient=True)
        )
        found = _class_of(outcome)
        is_held = found == expected and neighbour.log == b"fine\n"
        yield name, is_held, f"{found}, neighbour {neighbour.verdict} {neighbour.code}"
    for script in REFUSED:
        outcome = await run(script, is_patient=True)
        yield script, not outcome.succeeded, f"code {outcome.code}"
    outcome = await run(LOOKS, is_patient=True)
    yield "a look around", b"SECRET" not in outcome.log, f"{len(outcome.log)} bytes seen"


def _class_of(outcome: Outcome) -> str:
    try:
        verdicts.judge("It", outcome)
    except BuildError as error:
        return error.diagnostics[0].code if error.diagnostics else error.code
    return "nothing"


async def main(environ: dict[str, str]) -> int:
    """Print a line for each attempt; return how many were not held."""
    sandbox = choice.chosen(load(Settings, _UNNEEDED | environ))
    await sandbox.prepare()
    failures = 0
    began = time.monotonic()
    async for name, is_held, ending in trial(sandbox):
        failures += not is_held
        print("held" if is_held else "NOT HELD", name, ending, sep=" | ")  # noqa: T201 - the report
    print(f"{failures} not held, {time.monotonic() - began:.0f} s")  # noqa: T201 - the report
    return failures


if __name__ == "__main__":
    _, kind, *words = sys.argv
    values = {"SANDBOX": kind} | ({"SANDBOX_ENGINE": " ".join(words)} if words else {})
    sys.exit(1 if asyncio.run(main(values)) else 0)
