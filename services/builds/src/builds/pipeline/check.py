"""The type check, by the real compiler: its errors fail the build."""

import asyncio
import tarfile
from contextlib import closing

import msgspec
import structlog

from builds import steps
from builds.pipeline import diagnostics, state, tsconfig, verdicts
from builds.pipeline.archives import unpack
from builds.pipeline.bundle import endings_of_files, endings_of_texts
from builds.pipeline.context import Lines, Order, Rooms, Told, Workshop, limits, step
from builds.pipeline.plan import Plan
from builds.sandbox.types import Job, Mount
from builds.types import BuildError, Diagnostic

log = structlog.get_logger()

STEP = steps.CHECK

_ODD = "TSC"
_STATE = "/o/state"
_STATE_FILES_MAX = 2
# the first word is the shell's name for itself, and the program's own here
_WITH_STATE = (
    f"mkdir {_STATE}; [ ! -f /c/{state.NAME} ] || cp /c/{state.NAME} {_STATE}/{state.NAME};"
    ' exec "$0" "$@"'
)

_MODULE = 'declare module "*.{ending}" {{ const content: string; export default content; }}\n'


async def types(
    order: Order, plan: Plan, shop: Workshop, rooms: Rooms, told: Told
) -> list[Diagnostic]:
    """Check every file that the configuration includes; return what is wrong."""
    if not plan.is_typed:
        told.begin(STEP)
        told.end(STEP, "skipped")
        return []
    config = tsconfig.for_the_checker(plan.config, "/c/files.d.ts")
    (rooms.config / "tsconfig.json").write_bytes(msgspec.json.encode(config))
    declared = await asyncio.to_thread(_declarations, plan, rooms)
    (rooms.config / "files.d.ts").write_text(declared, encoding="utf-8")
    with step(told, STEP) as progress:
        found = await _remembering(order, shop, rooms, told)
        if verdicts.errors_of(found):
            progress.status = "failed"
    return found


async def _remembering(order: Order, shop: Workshop, rooms: Rooms, told: Told) -> list[Diagnostic]:
    """Check what has changed; where what was remembered is no good, everything."""
    about = order.project_id, order.target
    if order.fresh:
        return await _checked(_job(shop, rooms), shop, told)
    remembers = await asyncio.to_thread(shop.states.copy, *about, rooms.config)
    job = _remembers(_job(shop, rooms), rooms)
    try:
        found = await _checked(job, shop, told)
        is_odd = any(d.code == _ODD for d in found)
    except BuildError as exc:
        if not remembers or exc.status != "failed":
            raise
        found, is_odd = [], True
    if remembers and is_odd:
        await asyncio.to_thread(shop.states.drop, *about)
        return await _checked(_job(shop, rooms), shop, told)
    if not verdicts.errors_of(found):
        await asyncio.to_thread(_keep, order, shop, rooms)
    return found


def _job(shop: Workshop, rooms: Rooms) -> Job:
    return Job(
        command=("/t/ts/tsc", "-p", "/c/tsconfig.json", "--pretty", "false"),
        mounts=(Mount(shop.tsc, "/t/ts"), *rooms.project, Mount(rooms.config, "/c")),
    )


def _remembers(job: Job, rooms: Rooms) -> Job:
    """The same with a memory, which is read and written in one place: a copy, inside."""
    options = ("--incremental", "--tsBuildInfoFile", f"{_STATE}/{state.NAME}")
    return msgspec.structs.replace(
        job,
        command=("/t/busybox", "sh", "-c", _WITH_STATE, *job.command, *options),
        takes=_STATE,
        output=rooms.root / "state.tar",
    )


async def _checked(job: Job, shop: Workshop, told: Told) -> list[Diagnostic]:
    most = limits(shop.settings, shop.settings.check_s_max)
    with closing(Lines(told, STEP, most.log_bytes)) as lines:
        outcome = await shop.sandbox.run(job, most, lines)
    verdicts.judge("The type checker", outcome)
    said = outcome.log.decode(errors="replace")
    found = await asyncio.to_thread(diagnostics.of_tsc, said)
    if not outcome.succeeded and not verdicts.errors_of(found):
        message = f"The type checker ended with code {outcome.code}."
        found.append(Diagnostic(None, None, None, _ODD, message, "error"))
    return found


def _keep(order: Order, shop: Workshop, rooms: Rooms) -> None:
    folder = rooms.root / "state"
    try:
        unpack(rooms.root / "state.tar", folder, _STATE_FILES_MAX)
        shop.states.keep(order.project_id, order.target, folder / state.NAME)
    except (BuildError, OSError, tarfile.TarError) as exc:
        # the next check takes longer, and that is all
        log.warning("state_not_kept", error=repr(exc))


def _declarations(plan: Plan, rooms: Rooms) -> str:
    """What importing a picture or a shader gives, unless the project says so itself."""
    endings = [*endings_of_files(), *endings_of_texts()]
    theirs = [f for f in plan.files if f.endswith(".d.ts") and not f.startswith("node_modules/")]
    for file in theirs:
        text = (rooms.tree / file).read_text(encoding="utf-8", errors="replace")
        endings = [e for e in endings if f'"*.{e}"' not in text]
    return "".join(_MODULE.format(ending=e) for e in endings)
