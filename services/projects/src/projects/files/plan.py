"""What a batch means: steps in order become changes of paths, without asking the database again."""

import msgspec

from common.errors import (
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    PreconditionFailedError,
)
from projects.errors import FileExistsAlreadyError, InvalidPathError
from projects.files.schema import Operation
from projects.files.types import Change, Current, checked_path, content_of, decoded, folded


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What is at a path while the steps go on; ``content`` is there if a step brought it."""

    path: str
    hash: str
    size: int
    encoding: str
    content: bytes | None = None
    version: int = 0
    moved_from: str | None = None
    document: Current | None = None


class Plan:
    """The project's tree, as far as the steps touch it, and as they leave it.

    ``moves_max`` is how many files all moves and copies together may be about: a folder that is
    copied into itself again and again doubles each time.
    """

    def __init__(self, current: list[Current], bytes_max: int, moves_max: int) -> None:
        self._bytes_max = bytes_max
        self._moves_max = moves_max
        self._moves = 0
        self._before = {c.path: c for c in current}
        self._now = {
            c.path: Place(path=c.path, hash=c.hash, size=c.size, encoding=c.encoding, document=c)
            for c in current
        }
        # what is at a path whatever its case: one file at most
        self._folds = {c.folded: c.path for c in current}
        self._moved: dict[str, str] = {}

    def step(self, operation: Operation) -> None:
        """Take one step, or raise the ``ServiceError`` that says why not; nothing is half done."""
        path = checked_path(operation.path)
        self._check_match(operation)
        match operation.op:
            case "create" | "update" | "upsert":
                self._write(operation, path)
            case "delete":
                for name in self._inside(path):
                    del self._now[name]
                    del self._folds[folded(name)]
            case "move" | "copy":
                self._relocate(operation, path)

    def _check_match(self, operation: Operation) -> None:
        if operation.if_match is None:
            return
        here = self._now.get(operation.path)
        wanted = operation.if_match.strip().removeprefix("W/").strip('"')
        if here is None or (wanted not in {"*", here.hash}):
            current = here.hash if here else None
            raise PreconditionFailedError("The file is not what you saw.", {"etag": current})

    def _write(self, operation: Operation, path: str) -> None:
        exists = path in self._now
        if operation.op == "create" and exists:
            raise FileExistsAlreadyError("There is a file at the path.", {"path": path})
        if operation.op == "update" and not exists:
            raise NotFoundError("There is no file at the path.", {"path": path})
        if operation.content is None:
            raise InvalidError.of("content", "This is required.")
        content = content_of(decoded(operation.content, operation.encoding), self._bytes_max)
        _make_room(self._folds, path)
        self._now[path] = Place(
            path=path,
            hash=content.hash,
            size=content.size,
            encoding=content.encoding,
            content=content.data,
        )

    def _relocate(self, operation: Operation, path: str) -> None:
        if operation.to is None:
            raise InvalidError.of("to", "This is required.")
        to = checked_path(operation.to)
        if to == path or to.startswith(f"{path}/"):
            raise InvalidError.of("to", "A file or folder does not go into itself.")
        inside = self._inside(path)
        self._count(inside)
        is_move = operation.op == "move"
        gone = set(inside) if is_move else set()
        targets = {name: checked_path(to + name[len(path) :]) for name in inside}
        # all of them first, so that a step that is refused half way leaves nothing behind
        for target in targets.values():
            self._refuse_taken(target, gone)
        places = {n: self._now.pop(n) if is_move else self._now[n] for n in inside}
        if is_move:
            for name in inside:
                del self._folds[folded(name)]
            self._moved |= targets
        for name, target in targets.items():
            origin = name if is_move else None
            place = msgspec.structs.replace(places[name], path=target, moved_from=origin)
            self._now[target] = place
            self._folds[folded(target)] = target

    def _count(self, inside: list[str]) -> None:
        self._moves += len(inside)
        if self._moves > self._moves_max:
            limit = self._moves_max
            raise PayloadTooLargeError("The steps move too many files.", {"limit": limit})

    def _refuse_taken(self, target: str, gone: set[str]) -> None:
        """Refuse a path that is taken, in this case or another, by what stays where it is."""
        twin = self._folds.get(folded(target))
        if twin is None or twin in gone:
            return
        if twin == target:
            raise FileExistsAlreadyError("There is a file at the path.", {"path": target})
        raise InvalidPathError("A path differs from another in case alone.", {"path": twin})

    def _inside(self, path: str) -> list[str]:
        """The file at ``path``, or all files of the folder that it is."""
        if path in self._now:
            return [path]
        inside = sorted(name for name in self._now if name.startswith(f"{path}/"))
        if not inside:
            raise NotFoundError("There is no file at the path.", {"path": path})
        return inside

    def changes(self) -> list[Change]:
        """What is to be written: first what goes, then what comes or changes."""
        gone = [
            Change(
                path=path,
                hash=None,
                expected=before.hash,
                moved_to=self._moved.get(path) if self._moved.get(path) in self._now else None,
            )
            for path, before in self._before.items()
            if path not in self._now
        ]
        return gone + [self._written(place) for place in self._now.values() if self._differs(place)]

    def _differs(self, place: Place) -> bool:
        before = self._before.get(place.path)
        return before is None or before.hash != place.hash

    def _written(self, place: Place) -> Change:
        before = self._before.get(place.path)
        is_moved = place.moved_from is not None and place.moved_from not in self._now
        return Change(
            path=place.path,
            hash=place.hash,
            size=place.size,
            encoding=place.encoding,
            content=place.content,
            document_id=place.document.document_id if is_moved and place.document else None,
            expected=before.hash if before else None,
            must_be="any" if before else "absent",
            is_quiet=is_moved and place.content is None,
        )


def _make_room(folds: dict[str, str], path: str) -> None:
    """Take a path, unless it is there in another case."""
    twin = folds.setdefault(folded(path), path)
    if twin != path:
        raise InvalidPathError("A path differs from another in case alone.", {"path": twin})


def touched(operations: list[Operation]) -> tuple[list[str], list[str]]:
    """The paths, and the folders, whose state the steps depend on."""
    paths = [o.path for o in operations] + [o.to for o in operations if o.to is not None]
    folders = [f"{o.path}/" for o in operations if o.op in {"move", "copy", "delete"}]
    folders += [f"{o.to}/" for o in operations if o.to is not None]
    return _askable(paths), _askable(folders)


def _askable(paths: list[str]) -> list[str]:
    """Without those that the database could not read: the step itself refuses them."""
    return [path for path in paths if "\0" not in path]
