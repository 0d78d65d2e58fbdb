"""One build of one worker: taken, done, written down; or given back."""

import asyncio
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from builds import recipe, wakes
from builds.logs.masking import Mask
from builds.metrics import meters
from builds.peers import Peers
from builds.pipeline import run
from builds.pipeline.context import Order, Workshop
from builds.pipeline.publish import Shelf
from builds.pipeline.run import Result
from builds.runs import superseding
from builds.sandbox.types import UnavailableSandboxError
from builds.settings import Settings
from builds.types import BuildError, Diagnostic
from builds.work import comparing, fair, repository
from builds.work.fair import Claim
from builds.work.journal import Journal, storable
from builds.work.repository import End
from builds.work.shelf import StoreShelf
from common import exchange
from common.bus import Bus
from common.contracts.builds import BuildFailed, BuildSucceeded
from common.database import Database
from common.errors import GONE_AWAY
from common.ids import uuid7
from common.storage import Storage

log = structlog.get_logger()

_PAUSE_S = 0.5
# well below the time after which a worker is taken for lost
_PAUSE_S_MAX = 2.0


_BROKEN = End(
    status="failed",
    error_code="INTERNAL_ERROR",
    error_message="Something went wrong in the worker; try again.",
)


class Bench(Struct, frozen=True):
    """What a worker works with. Without a sandbox ``shop`` is the reason why there is none.

    ``worker`` is the name under which it holds a build: another one for each claim.
    """

    worker: UUID
    settings: Settings
    db: Database
    bus: Bus
    peers: Peers
    storage: Storage
    shop: Workshop | str
    toolchain: str | None
    mask: Mask


class _NotOursError(Exception):
    """The build was cancelled, deleted, or given to another worker."""


async def build_next(bench: Bench) -> None:
    """Do the build whose turn it is, if any waits; its end is stored when this returns."""
    for build_id in await superseding.outdate(bench.db):
        meters.ended("superseded")
        await wakes.tell(bench.bus, build_id)
    # a lease is a claim's: an earlier one of the same process writes nothing under it
    bench = msgspec.structs.replace(bench, worker=uuid7())
    claim = await fair.claim(bench.db, bench.worker)
    if claim is None:
        return
    try:
        await _build(bench, claim)
    except asyncio.CancelledError:
        await _give_back(bench, claim)
        raise


async def _build(bench: Bench, claim: Claim) -> None:
    exchange.enter(exchange.Exchange(claim.request_id, claim.traceparent))
    await wakes.tell(bench.bus, claim.build_id)
    log.info("build_taken", build=str(claim.build_id), attempt=claim.attempt)
    journal = Journal(bench.settings, claim.next_line, bench.mask)
    shelf = StoreShelf(bench.storage)
    began = time.monotonic()
    try:
        end = journal.masked(await _followed(bench, claim, journal, shelf))
    except _NotOursError:
        log.info("build_left", build=str(claim.build_id))
        await shelf.clear()
        return
    duration_ms = round((time.monotonic() - began) * 1e3)
    was_late = await _report(bench, claim, journal, end, duration_ms)
    log.info("build_ended", build=str(claim.build_id), status=end.status, ms=duration_ms)
    if was_late or end.status != "success":
        await shelf.clear()


async def _followed(bench: Bench, claim: Claim, journal: Journal, shelf: StoreShelf) -> End:
    """Work, and write down meanwhile what is told; stop when the build is not ours any more."""
    work = asyncio.get_running_loop().create_task(_end(bench, claim, journal, shelf))
    diary = asyncio.get_running_loop().create_task(_write(bench, claim, journal))
    try:
        await asyncio.wait({work, diary}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise _NotOursError
        return work.result()
    finally:
        if not work.done():
            journal.leave()
        for task in (work, diary):
            task.cancel()
        await asyncio.gather(work, diary, return_exceptions=True)


async def _end(bench: Bench, claim: Claim, journal: Journal, shelf: StoreShelf) -> End:
    order = _order(claim)
    try:
        if claim.verify_of is None:
            result = await _result(bench, order, journal, shelf)
        else:
            result = await _result(bench, order, journal, comparing.Nowhere())
            same_tools = _key(bench, claim) == claim.build_key
            comparing.demand_same(claim.artifacts, result.artifacts, same_tools=same_tools)
    except BuildError as exc:
        longest = bench.settings.message_chars_max
        return End(
            status=exc.status,
            error_code=exc.code,
            error_message=_kept(str(exc), longest),
            diagnostics=[_kept_diagnostic(d, longest) for d in exc.diagnostics],
        )
    except Exception as exc:
        log.exception("build_broke", build=str(claim.build_id), error=repr(exc))
        return _BROKEN
    longest = bench.settings.message_chars_max
    return End(
        status="success",
        diagnostics=[_kept_diagnostic(d, longest) for d in result.diagnostics],
        artifacts=result.artifacts,
        site=result.site,
        result_id=order.result_id if claim.verify_of is None else claim.result_id,
        build_key=_key(bench, claim),
    )


def _key(bench: Bench, claim: Claim) -> str | None:
    """What this result is found by: it was made by our tools, whoever wanted it by which."""
    tools = bench.toolchain
    return tools and recipe.key(tools, claim.target, claim.options, claim.manifest)


def _order(claim: Claim) -> Order:
    # a worker that was taken for lost may still write, and clears away what it wrote: not here
    is_first = claim.attempt == 1
    return Order(
        build_id=claim.build_id,
        result_id=claim.build_id if is_first else uuid7(),
        project_id=claim.project_id,
        target=claim.target,
        options=claim.options,
        manifest=claim.manifest,
        fresh=claim.verify_of is not None,
    )


def _kept(text: str, longest: int) -> str:
    """Text that others have a hand in, as the database and an event can hold it."""
    return storable(text[:longest])


def _kept_diagnostic(found: Diagnostic, longest: int) -> Diagnostic:
    return msgspec.structs.replace(
        found,
        file=None if found.file is None else _kept(found.file, longest),
        code=_kept(found.code, longest),
        message=_kept(found.message, longest),
    )


async def _result(bench: Bench, order: Order, journal: Journal, shelf: Shelf) -> Result:
    if isinstance(bench.shop, str):
        raise BuildError("SANDBOX_UNAVAILABLE", f"No build can run on this worker: {bench.shop}")
    try:
        return await run.build(order, bench.shop, bench.peers, shelf, journal)
    except UnavailableSandboxError as exc:
        raise BuildError("SANDBOX_UNAVAILABLE", f"The sandbox is away; try again. {exc}") from exc


async def _write(bench: Bench, claim: Claim, journal: Journal) -> None:
    """Write the journal and show that we live, until the build is not ours any more."""
    settings = bench.settings
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.lease_beat_s):
                await journal.news.wait()
        journal.news.clear()
        count = len(journal.lines)
        try:
            is_ours = await repository.beat(
                bench.db, claim.build_id, bench.worker, journal.steps, journal.lines[:count]
            )
        except Exception as exc:  # noqa: BLE001 - a database that is away is no reason to stop
            log.warning("journal_waits", build=str(claim.build_id), error=repr(exc))
            await asyncio.sleep(_PAUSE_S)
            continue
        if not is_ours:
            return
        journal.written(count)
        await wakes.tell(bench.bus, claim.build_id)
        await asyncio.sleep(settings.journal_s)


async def _report(bench: Bench, claim: Claim, journal: Journal, end: End, duration_ms: int) -> bool:
    """Write how the build ended, however long it takes the database to come back.

    Returns whether it certainly had ended otherwise before, so that nothing of this one is needed.
    """
    until = time.monotonic() + bench.settings.report_for_s
    pause_s = _PAUSE_S
    is_certain = True
    while True:
        event = _told(claim, end, duration_ms)
        try:
            is_ours = await repository.finish(
                bench.db, bench.worker, event, end, journal.steps, journal.lines
            )
        except GONE_AWAY as exc:
            log.warning("report_waits", build=str(claim.build_id), error=repr(exc))
            if time.monotonic() > until:
                raise
            # what was not acknowledged may be written all the same
            is_certain = False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_S_MAX)
        except Exception as exc:
            log.exception("report_refused", build=str(claim.build_id), error=repr(exc))
            if end is _BROKEN and not journal.lines:
                raise
            # said again, it would be refused again
            journal.lines.clear()
            end = _BROKEN
        else:
            if is_ours:
                meters.ended(end.status, end.error_code)
            await wakes.tell(bench.bus, claim.build_id)
            return is_certain and not is_ours


def _told(claim: Claim, end: End, duration_ms: int) -> BuildSucceeded | BuildFailed:
    about: dict[str, Any] = {
        "build_id": claim.build_id,
        "project_id": claim.project_id,
        "user_id": claim.user_id,
    }
    if end.status == "success":
        size = sum(artifact.size for artifact in end.artifacts)
        return BuildSucceeded(**about, target=claim.target, duration_ms=duration_ms, size=size)
    return BuildFailed(
        **about,
        target=claim.target,
        status=end.status,
        error_code=end.error_code or "",
        error_message=end.error_message or "",
    )


async def _give_back(bench: Bench, claim: Claim) -> None:
    try:
        await repository.release(bench.db, claim.build_id, bench.worker)
    except Exception as exc:  # noqa: BLE001 - the lease runs out, and another worker takes it
        log.warning("build_not_released", build=str(claim.build_id), error=repr(exc))
    else:
        log.info("build_released", build=str(claim.build_id))
