"""What an abusive project takes from the one beside it: two workers, and one of them is held."""

import time
from collections.abc import Iterator

import msgspec

from benchmarks.builds.crew import Build, Crew, Tree, another_worker, changed, demo
from benchmarks.harness.cases import BadAnswerError

_WITHIN_S = 30.0
_PAGE = b'<!doctype html><body><script type="module" src="src/main.ts"></script></body>'
# each is given to the worker anew, so none may be the same as one before
_PROCESSOR = """
type R<T, N extends number, A extends unknown[] = []> =
  A['length'] extends N ? [T, A['length']] : R<T, N, [...A, unknown]>;
"""
_MEMORY = """
type Wide<T, A extends unknown[] = []> =
  A['length'] extends 400 ? A : Wide<T, [...A, { [K in `${A['length'] & number}`]: [T, A] }]>;
"""


class Turn(msgspec.Struct, frozen=True):
    """A game with one changed file: alone, and while another project is built beside it."""

    beside: str
    alone_s: float
    beside_s: float


def _processor(stamp: str) -> str:
    lines = (f"export const v{i}: R<'{stamp}{i}', 900> = ['{stamp}{i}', 900];" for i in range(4000))
    return _PROCESSOR + "\n".join(lines)


def _memory(stamp: str) -> str:
    return _MEMORY + "\n".join(f"export type W{i} = Wide<'{stamp}{i}'>;" for i in range(4000))


def _errors(stamp: str) -> str:
    return "\n".join(f"export const e{i}: number = '{stamp}';" for i in range(200_000))


ABUSES = {"a processor": _processor, "memory": _memory, "errors": _errors}


def turns(crew: Crew, rounds: int) -> Iterator[Turn]:
    """Build a game with and without each abuse beside it."""
    tree = demo(crew.context)
    with another_worker(crew.context):
        project = crew.project(tree)
        # both workers have to know it
        for _ in range(4):
            _warm(crew, project, tree)
        for beside, text in ABUSES.items():
            for number in range(rounds):
                alone_s = _warm(crew, project, tree)
                hog = _hog(crew, {"index.html": _PAGE, "src/main.ts": text(f"n{number}").encode()})
                beside_s = _warm(crew, project, tree)
                if crew.look(hog)["status"] != "building":
                    raise BadAnswerError(f"What wants {beside} ended before the game did.")
                crew.cancel(hog)
                yield Turn(beside, alone_s, beside_s)


def _warm(crew: Crew, project: str, tree: Tree) -> float:
    crew.write(project, changed(tree))
    return crew.build(project).seconds


def _hog(crew: Crew, tree: Tree) -> Build:
    """Have an abusive project built, and wait until its compiler runs."""
    build = crew.start(crew.project(tree))
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        seen = crew.look(build)
        if any(step["name"] == "check" for step in seen["steps"]):
            return seen
        time.sleep(0.05)
    raise BadAnswerError(f"An abusive build has not begun: {build}")
