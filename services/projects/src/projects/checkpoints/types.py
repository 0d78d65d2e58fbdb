"""From one tree to another: the changes that lead there."""

from uuid import UUID

import msgspec

from projects.files.types import Change


class Standing(msgspec.Struct, frozen=True):
    """A file of a tree, as far as it matters to who goes there from another tree."""

    path: str
    document_id: UUID
    version: int
    hash: str | None
    size: int
    encoding: str


def changes_between(now: list[Standing], then: list[Standing]) -> list[Change]:
    """What is to be written so that ``now`` is ``then``: first what goes, then what comes.

    A document that is elsewhere moves, so that an editor who has it open goes with it.
    """
    here = {file.path: file for file in now}
    there = {file.path: file for file in then}
    places = {file.document_id: file for file in now}
    moved: dict[str, Standing] = {}
    for file in then:
        place = places.get(file.document_id)
        if place is not None and place.path != file.path and place.path not in there:
            moved[file.path] = place
    left = {place.path: path for path, place in moved.items()}
    gone = [
        Change(path=path, hash=None, expected=file.hash, moved_to=left.get(path))
        for path, file in here.items()
        if path not in there
    ]
    return gone + [
        _written(file, here.get(file.path), moved.get(file.path))
        for file in then
        if file.path in moved or file.path not in here or here[file.path].hash != file.hash
    ]


def _written(then: Standing, now: Standing | None, moved: Standing | None) -> Change:
    return Change(
        path=then.path,
        hash=then.hash,
        size=then.size,
        encoding=then.encoding,
        document_id=moved.document_id if moved else None,
        last_version=moved.version if moved else 0,
        moved_from=moved.path if moved else None,
        expected=now.hash if now else None,
        must_be="any" if now else "absent",
        is_quiet=moved is not None and moved.hash == then.hash,
    )
