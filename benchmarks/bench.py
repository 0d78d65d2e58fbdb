"""Measure the projects service beside the Fastify peer: ``python -m benchmarks.bench``.

Everything is started here, checked, driven in turns, and stopped again. Numbers are kept only
with ``--save``.
"""

import argparse
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec

from benchmarks.harness import gateway, machine, ours, peer, report, world, wrk
from benchmarks.harness.cases import CASES, BadAnswerError, Case
from benchmarks.harness.contender import Contender
from benchmarks.harness.processes import StartError
from benchmarks.harness.rounds import Field, Measured, rounds
from benchmarks.harness.stores import stores
from fleet.context import Context

RESULTS = Path(__file__).resolve().parent / "results"
CONTENDERS = (*(f"fastify-{layer}" for layer in peer.LAYERS), ours.NAME, gateway.NAME)
# beyond what the measuring itself takes: to build the peer, to start and fill everything
_SLACK_S = 420
_BESIDE_A_RUN_S = 3


def main() -> int:
    """Measure, print, and say by the exit code whether the answers were right."""
    given = _arguments()
    _allow_many_connections()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, _end)
    cases = [case for case in CASES if not given.case or case.name in given.case]
    runs = (given.rounds + 1) * len(cases) * len(_wanted(given))
    signal.alarm(runs * (given.seconds + _BESIDE_A_RUN_S) + _SLACK_S)
    try:
        text, results = _measured(given, cases)
    except (BadAnswerError, StartError, TimeoutError) as exc:
        print(f"\nNothing was measured: {exc}", file=sys.stderr)
        return 1
    print(text)
    if given.save:
        print(f"\nKept in {_save(text, results)}.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="after one that does not count")
    parser.add_argument("--seconds", type=int, default=3, help="for each contender in each round")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument(
        "--contender", action="append", choices=CONTENDERS, help="all but the gateway, unless named"
    )
    parser.add_argument(
        "--relay", action="store_true", help="run NATS, and let the service publish its events"
    )
    parser.add_argument(
        "--access-log", action="store_true", help="let every contender log its requests"
    )
    parser.add_argument("--save", action="store_true", help="keep the result, with its date")
    return parser.parse_args()


def _wanted(given: argparse.Namespace) -> tuple[str, ...]:
    return tuple(given.contender or (name for name in CONTENDERS if name != gateway.NAME))


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end(number: int, _: FrameType | None) -> None:
    # an exception, so that every context on the way out stops what it started
    raise SystemExit(f"Ended by {signal.Signals(number).name}.")


def _measured(given: argparse.Namespace, cases: list[Case]) -> tuple[str, list[Measured]]:
    program = shutil.which("wrk")
    if program is None:
        raise StartError("wrk is not installed: install the system package wrk.")
    seed = world.make()
    with stores(relay=given.relay) as context:
        about = machine.described(context.programs.postgres_bin, context.settings.path)
        with _contenders(given, context, seed) as contenders:
            field = Field(
                world=seed,
                contenders=contenders,
                cases=cases,
                load=wrk.Load(connections=given.connections, seconds=given.seconds),
                program=program,
                folder=context.home.cache,
            )
            results = list(_told(rounds(field, given.rounds)))
    return _text(given, about, cases, results), results


@contextmanager
def _contenders(
    given: argparse.Namespace, context: Context, seed: world.World
) -> Iterator[list[Contender]]:
    wanted = _wanted(given)
    layers = [layer for layer in peer.LAYERS if f"fastify-{layer}" in wanted]
    with ExitStack() as stack:
        contenders = _peers(given, context, seed, layers, stack) if layers else []
        if ours.NAME in wanted or gateway.NAME in wanted:
            contenders += _own(given, context, seed, wanted, stack)
        yield contenders


def _peers(
    given: argparse.Namespace,
    context: Context,
    seed: world.World,
    layers: list[str],
    stack: ExitStack,
) -> list[Contender]:
    _say("building and filling the peer")
    peer.build(context)
    filled = peer.prepare(context, seed)
    # ports that the private fleet has set aside for services which do not run here
    ports = (context.ports.registry, context.ports.assets)
    return [
        stack.enter_context(peer.peer(context, filled, layer, port, log_requests=given.access_log))
        for layer, port in zip(layers, ports, strict=False)
    ]


def _own(
    given: argparse.Namespace,
    context: Context,
    seed: world.World,
    wanted: tuple[str, ...],
    stack: ExitStack,
) -> list[Contender]:
    _say("filling the projects service")
    service = stack.enter_context(
        ours.projects(context, seed, relay=given.relay, log_requests=given.access_log)
    )
    alone = [service] if ours.NAME in wanted else []
    if gateway.NAME not in wanted:
        return alone
    return [*alone, stack.enter_context(gateway.behind(context, service))]


def _told(results: Iterator[Measured]) -> Iterator[Measured]:
    for result in results:
        _say(
            f"round {result.round}: {result.case}, {result.contender}: "
            f"{result.per_s:.0f} requests/s, {result.cpu_us:.0f} us"
        )
        yield result


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _text(
    given: argparse.Namespace, about: list[str], cases: list[Case], results: list[Measured]
) -> str:
    how = (
        f"{given.connections} connections, medians of {given.rounds} rounds of {given.seconds} s; "
        f"events {'are' if given.relay else 'are not'} relayed, "
        f"requests {'are' if given.access_log else 'are not'} logged."
    )
    return "\n".join(["", *about, how, "", report.tables(cases, results)])


def _save(text: str, results: list[Measured]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M}.md"
    path.write_text(f"# Benchmark of {datetime.now(UTC):%Y-%m-%d}\n{text}\n", encoding="utf-8")
    path.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    return path


if __name__ == "__main__":
    sys.exit(main())
