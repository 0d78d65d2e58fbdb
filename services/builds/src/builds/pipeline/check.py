"""The type check, by the real compiler: its errors fail the build."""

import asyncio
from contextlib import closing

import msgspec

from builds import steps
from builds.pipeline import diagnostics, tsconfig, verdicts
from builds.pipeline.bundle import endings_of_files, endings_of_texts
from builds.pipeline.context import Lines, Rooms, Told, Workshop, limits, step
from builds.pipeline.plan import Plan
from builds.sandbox.types import Job, Mount
from builds.types import Diagnostic

STEP = steps.CHECK

_MODULE = 'declare module "*.{ending}" {{ const content: string; export default content; }}\n'


async def types(plan: Plan, shop: Workshop, rooms: Rooms, told: Told) -> list[Diagnostic]:
    """Check every file that the configuration includes; return what is wrong."""
    if not plan.is_typed:
        told.begin(STEP)
        told.end(STEP, "skipped")
        return []
    config = tsconfig.for_the_checker(plan.config, "/c/files.d.ts")
    (rooms.config / "tsconfig.json").write_bytes(msgspec.json.encode(config))
    declared = await asyncio.to_thread(_declarations, plan, rooms)
    (rooms.config / "files.d.ts").write_text(declared, encoding="utf-8")
    job = Job(
        command=("/t/ts/tsc", "-p", "/c/tsconfig.json", "--pretty", "false"),
        mounts=(Mount(shop.tsc, "/t/ts"), *rooms.project, Mount(rooms.config, "/c")),
    )
    with step(told, STEP) as progress:
        most = limits(shop.settings, shop.settings.check_s_max)
        with closing(Lines(told, STEP)) as lines:
            outcome = await shop.sandbox.run(job, most, lines)
        verdicts.judge("The type checker", outcome)
        found = diagnostics.of_tsc(outcome.log.decode(errors="replace"))
        if not outcome.succeeded and not verdicts.errors_of(found):
            message = f"The type checker ended with code {outcome.code}."
            found.append(Diagnostic(None, None, None, "TSC", message, "error"))
        if verdicts.errors_of(found):
            progress.status = "failed"
    return found


def _declarations(plan: Plan, rooms: Rooms) -> str:
    """What importing a picture or a shader gives, unless the project says so itself."""
    endings = [*endings_of_files(), *endings_of_texts()]
    theirs = [f for f in plan.files if f.endswith(".d.ts") and not f.startswith("node_modules/")]
    for file in theirs:
        text = (rooms.tree / file).read_text(encoding="utf-8", errors="replace")
        endings = [e for e in endings if f'"*.{e}"' not in text]
    return "".join(_MODULE.format(ending=e) for e in endings)
