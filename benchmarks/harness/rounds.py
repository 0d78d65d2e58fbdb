"""Drive every contender over every case, in turns."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks.harness import checks, database, wrk
from benchmarks.harness.cases import Ask, Case, content_with
from benchmarks.harness.contender import Contender, usage
from benchmarks.harness.world import FILES_PER_PROJECT, PROJECTS, World

_PLAN_SEED = 3
_WARM_UP_S = 2


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One contender over one case in one round."""

    case: str
    contender: str
    round: int
    requests: int
    per_s: float
    cpu_us: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    memory_mb: float


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """Who is measured over what, and how hard."""

    world: World
    contenders: list[Contender]
    cases: list[Case]
    load: wrk.Load
    program: str
    folder: Path


def plans(field: Field) -> dict[tuple[str, str], Path]:
    """Write each contender's plan for each case; in the same order, but for ids and headers."""
    return {
        (case.name, contender.name): wrk.write_plan(
            field.folder / f"{contender.name}-{case.name.replace(' ', '-')}.plan",
            _requests(field.world, contender, case),
        )
        for case in field.cases
        for contender in field.contenders
    }


def _requests(world: World, contender: Contender, case: Case) -> Iterator[wrk.Request]:
    identities = [contender.identify(user) for user in world.users]
    for ask in islice(checks.asks(world, _PLAN_SEED), PROJECTS * FILES_PER_PROJECT):
        headers = identities[ask.user]
        path = case.url_path(world, contender, ask)
        if case.writes:
            headers = headers | {"content-type": "application/json"}
        yield wrk.Request(case.method, path, _body(world, case, ask), headers)


def _body(world: World, case: Case, ask: Ask) -> str:
    if not case.writes:
        return ""
    return msgspec.json.encode({"content": content_with(world, ask, wrk.MARK)}).decode()


def _short(load: wrk.Load) -> wrk.Load:
    return msgspec.structs.replace(load, seconds=min(load.seconds, _WARM_UP_S))


def measure(
    field: Field, case: Case, contender: Contender, plan: Path, number: int, load: wrk.Load
) -> Measured:
    """Drive one contender over one case; raise ``BadAnswerError`` where an answer is wrong."""
    if case.writes:
        database.tidy(contender)
    began = usage(contender)
    with checks.during(contender, field.world, case) as sampled:
        drive = wrk.drive(field.program, contender.url, plan, load, time.time_ns() // 1_000)
    if case.writes and contender.relays:
        database.drained(contender)
    ended = usage(contender)
    checks.after(contender, case, drive, sampled, load.connections)
    return Measured(
        case=case.name,
        contender=contender.name,
        round=number,
        requests=drive.requests,
        per_s=drive.per_s,
        cpu_us=(ended.cpu_s - began.cpu_s) * 1e6 / (drive.requests + sampled.requests),
        p50_ms=drive.p50_us / 1e3,
        p95_ms=drive.p95_us / 1e3,
        p99_ms=drive.p99_us / 1e3,
        memory_mb=ended.memory_bytes / 2**20,
    )


def rounds(field: Field, count: int) -> Iterator[Measured]:
    """Measure ``count`` rounds after one that does not count; who begins changes each time."""
    written = plans(field)
    for case in field.cases:
        for contender in field.contenders:
            checks.before(contender, field.world, case)
            database.tidy(contender)
    for number in range(count + 1):
        turn = number % len(field.contenders)
        for case in field.cases:
            for contender in field.contenders[turn:] + field.contenders[:turn]:
                plan = written[case.name, contender.name]
                load = field.load if number else _short(field.load)
                measured = measure(field, case, contender, plan, number, load)
                if number:  # the first warms caches and compilers
                    yield measured
