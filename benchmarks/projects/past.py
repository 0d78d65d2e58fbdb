"""A project with a long history: how it is written, and what its tree was at moments of it."""

import io
import random
import zipfile
from collections.abc import Iterator

import msgspec

from benchmarks.harness.cases import BadAnswerError
from benchmarks.projects import subject
from benchmarks.projects.subject import BATCH, Service, Step

_DELETED_OF_100 = 4


class Moment(msgspec.Struct, frozen=True):
    """A moment of a project's history, and its tree's entity tag when that was the present."""

    seq: int
    tag: str


class Life(msgspec.Struct, frozen=True):
    """A project, and the moments of it that are remembered."""

    path: str
    moments: list[Moment]


def young(service: Service, files: int) -> str:
    """Make a project of so many small files, each of them new; return its path."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        for number in range(files):
            writing.writestr(_path(number), _content(number, 0))
    return subject.imported(service, archive.getvalue())


def old(service: Service, files: int, versions: int, moments: int) -> Life:
    """Make such a project, and change it until it has so many versions.

    Nine in ten changes are edits, the others delete files and bring them back; all over the
    project. Moments are remembered at even distances, none at the very end.
    """
    project = young(service, files)
    each = (versions - files) // moments // BATCH * BATCH
    half = -(-each // 2 // BATCH) * BATCH  # the middle, rounded up
    wanted = {files + each * i + half for i in range(moments)}
    remembered = []
    for seq, steps in _changes(files, versions):
        subject.write(service, project, steps)
        if seq in wanted:
            remembered.append(Moment(seq, tag(service, project)))
    if len(remembered) != moments:
        raise BadAnswerError("There are not as many moments as there should be.")
    return Life(project, remembered)


def tag(service: Service, project: str) -> str:
    """Return the entity tag of a project's tree."""
    answer = service.client.get(f"{project}/tree", headers=service.headers)
    return answer.raise_for_status().headers["etag"]


def _changes(files: int, versions: int) -> Iterator[tuple[int, list[Step]]]:
    chance = random.Random(versions)  # noqa: S311 - test data, not a secret
    gone: set[int] = set()
    for seq in range(files + BATCH, versions + 1, BATCH):
        steps = []
        for number in chance.sample(range(files), BATCH):
            die = chance.randrange(100)
            if number in gone:
                gone.discard(number)
                steps.append(_written("create", number, seq))
            elif die < _DELETED_OF_100:
                gone.add(number)
                steps.append({"op": "delete", "path": _path(number)})
            else:
                steps.append(_written("update", number, seq))
        yield seq, steps


def _path(number: int) -> str:
    return f"src/scenes/{number % 100}/object-{number}.ts"


def _written(kind: str, number: int, seq: int) -> Step:
    return {"op": kind, "path": _path(number), "content": _content(number, seq)}


def _content(number: int, seq: int) -> str:
    return f"export const object{number} = {{ since: {seq} }}\n"
