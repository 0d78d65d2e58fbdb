"""How long somebody waits for a game: from wanting a build to its success."""

from collections.abc import Iterator

from benchmarks.builds.crew import Built, Crew, Tree, changed, demo, phaser
from benchmarks.harness.cases import BadAnswerError


def cold(crew: Crew, rounds: int) -> Iterator[float]:
    """A project that was never built, with files that the worker never saw."""
    tree = demo(crew.context)
    for number in range(rounds + 1):
        project = crew.project(tree | changed(tree, everywhere=True))
        crew.forget()
        built = crew.build(project)
        if number:  # the first finds a worker that has built nothing at all
            yield built.seconds


def warm(crew: Crew, rounds: int) -> Iterator[float]:
    """A project of which one file has changed since it was built."""
    yield from _changing(crew, demo(crew.context), rounds)


def engine(crew: Crew, rounds: int) -> Iterator[float]:
    """The same for a game that stands on Phaser."""
    yield from _changing(crew, phaser(), rounds)


def _changing(crew: Crew, tree: Tree, rounds: int) -> Iterator[float]:
    project = crew.project(tree)
    before = crew.build(project)
    for _ in range(rounds):
        crew.write(project, changed(tree))
        built = crew.build(project)
        if built.artifacts == before.artifacts or built.build["cached"]:
            raise BadAnswerError("A file has changed, and what was built has not.")
        before = built
        yield built.seconds


def cached(crew: Crew, rounds: int) -> Iterator[float]:
    """A project that was built as it is."""
    tree = demo(crew.context)
    project = crew.project(tree | changed(tree))
    first = crew.build(project)
    for _ in range(rounds):
        built = crew.build(project)
        _same(first, built)
        yield built.seconds


def _same(first: Built, built: Built) -> None:
    if not built.build["cached"]:
        raise BadAnswerError("What was there already was built once more.")
    if built.artifacts != first.artifacts:
        raise BadAnswerError("The same project gave something else.")
