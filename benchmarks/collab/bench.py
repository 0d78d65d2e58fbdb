"""Measure the collab service beside Hocuspocus: ``python -m benchmarks.collab.bench``.

Everything is started here, checked, driven in turns, and stopped again. Numbers are kept only
with ``--save``.
"""

import argparse
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec

from benchmarks.collab import cores, joins, loads, memory, peer, report, servers
from benchmarks.collab.contender import ROOMS, World, document
from benchmarks.collab.edits import source
from benchmarks.collab.field import Field, say
from benchmarks.collab.joins import Joined
from benchmarks.collab.loads import LOADS, TWO_NODES, Load, Loaded
from benchmarks.collab.memory import Remembered
from benchmarks.harness import machine
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.processes import StartError
from benchmarks.harness.stores import stores
from fleet.context import Context

RESULTS = Path(__file__).resolve().parents[1] / "results"
MEMORY, JOIN = "memory", "join"
CASES = (*(load.path for load in LOADS), MEMORY, JOIN)
_SLACK_S = 300
_A_ROUND_S = 180


class Results(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    loaded: list[Loaded]
    remembered: list[Remembered]
    joined: list[Joined]


def main() -> int:
    """Measure, print, and say by the exit code whether the answers were right."""
    given = _arguments()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, _end)
    signal.alarm((given.rounds + 1) * _A_ROUND_S + _SLACK_S)
    try:
        text, results = _measured(given)
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
    parser.add_argument("--seconds", type=float, default=1.2, help="for each step of a search")
    parser.add_argument(
        "--case", action="append", choices=(*CASES, TWO_NODES.path), help="all but the last"
    )
    parser.add_argument("--contender", action="append", choices=(peer.NAME, servers.NAME))
    parser.add_argument("--save", action="store_true", help="keep the result, with its date")
    return parser.parse_args()


def _end(number: int, _: FrameType | None) -> None:
    # an exception, so that every context on the way out stops what it started
    raise SystemExit(f"Ended by {signal.Signals(number).name}.")


def _measured(given: argparse.Namespace) -> tuple[str, Results]:
    split = cores.split()
    chosen = set(given.case or CASES)
    with stores(relay=True, more=servers.SCHEMAS) as context, servers.beside(context):
        about = machine.described(context.programs.postgres_bin, context.settings.path)
        about.append(f"Hocuspocus on Node {peer.version(peer.node(context))}; {_placed(split)}")
        say("registering editors, and making projects")
        rooms = ROOMS * (2 if TWO_NODES.path in chosen else 1)
        world = servers.populated(context, rooms, _files(given.rounds))
        with _field(given, context, split, world) as field:
            results = _results(field, chosen)
            if TWO_NODES.path in chosen:
                with _two(field, context, world) as two:
                    results.loaded.extend(loads.rounds(two, [TWO_NODES]))
    how = f"Medians of {given.rounds} rounds; steps of {given.seconds} s."
    tables = report.tables(results.loaded, results.remembered, results.joined)
    return "\n".join(["", *about, how, "", tables]), results


def _placed(split: cores.Cores) -> str:
    if split.is_shared:
        return "one processor for everything: these numbers say little"
    others = ", ".join(map(str, sorted(split.others)))
    return f"servers on processor {split.server} alone, everything else on {others}"


def _files(rounds: int) -> dict[str, str]:
    """The files of each project: one for each load in each round, and what is read."""
    paths = [
        f"{load.path}{number}-" for load in (*LOADS, TWO_NODES) for number in range(rounds + 1)
    ]
    laps = ["", *map(str, range(1, memory.DOCUMENTS // ROOMS))]
    texts = {f"{memory.PATH_TEXT}{lap}.ts": source(memory.TEXT_BYTES) for lap in laps}
    empty = {f"{path}.ts": "" for path in (*paths, memory.PATH_IDLE, joins.PATH)}
    return texts | empty


def _texts(world: World) -> dict[str, str]:
    """The documents that begin with a text: the services take it from the file."""
    text = source(memory.TEXT_BYTES)
    names = [document(world.projects, n, memory.PATH_TEXT) for n in range(memory.DOCUMENTS)]
    return dict.fromkeys(names, text)


@contextmanager
def _field(
    given: argparse.Namespace, context: Context, split: cores.Cores, world: World
) -> Iterator[Field]:
    wanted = given.contender or (peer.NAME, servers.NAME)
    contenders = []
    with ExitStack() as stack:
        if peer.NAME in wanted:
            url = peer.prepared(context, world, _texts(world))
            port = context.ports.registry  # a service that does not run here
            contenders.append(
                stack.enter_context(peer.hocuspocus(context, split, world, url, port))
            )
        if servers.NAME in wanted:
            nodes = [(context.ports.collab, context.ports.collab_socket)]
            contenders.append(stack.enter_context(servers.collab(context, split, world, nodes)))
        yield Field(
            cores=split,
            contenders=contenders,
            seconds=given.seconds,
            rounds=given.rounds,
        )


@contextmanager
def _two(field: Field, context: Context, world: World) -> Iterator[Field]:
    """One node, and two that share the same processor and other projects."""
    one = [contender for contender in field.contenders if contender.name == servers.NAME]
    # ports of services that do not run here
    ports = context.ports
    nodes = [(ports.assets, ports.s3_filer), (ports.builds, ports.s3_volume)]
    other = slice(ROOMS, 2 * ROOMS)
    with servers.collab(context, field.cores, world, nodes, other) as two:
        yield msgspec.structs.replace(field, contenders=[*one, two])


def _results(field: Field, chosen: set[str]) -> Results:
    remembered: list[Remembered] = []
    joined: list[Joined] = []
    # first, in processes that have done nothing yet
    if MEMORY in chosen:
        remembered = [memory.measured(contender) for contender in field.contenders]
    if JOIN in chosen:
        joined = list(joins.rounds(field, joins.prepared(field)))
    wanted: list[Load] = [load for load in LOADS if load.path in chosen]
    return Results(list(loads.rounds(field, wanted)), remembered, joined)


def _save(text: str, results: Results) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M}-collab.md"
    path.write_text(f"# Benchmark of {datetime.now(UTC):%Y-%m-%d}\n{text}\n", encoding="utf-8")
    path.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    return path


if __name__ == "__main__":
    sys.exit(main())
