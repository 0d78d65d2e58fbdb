"""What a batch means: steps in order become changes of paths, without asking the database again."""

from collections import Counter

import msgspec

from common.errors import (
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    PreconditionFailedError,
    ServiceError,
)
from projects.errors import FileExistsAlreadyError, InvalidPathError
from projects.files.schema import Operation
from projects.files.types import (
    Change,
    Content,
    Current,
    checked_path,
    content_of,
    decoded,
    folded,
    folders,
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What is at a path while the steps go on; ``content`` is there if a step brought it.

    ``document`` is what it was before the steps, perhaps at another path.
    """

    path: str
    hash: str
    size: int
    encoding: str
    content: Content | None = None
    document: Current | None = None


class Places:
    """The files that are there while the steps go on, and the folders that they make."""

    def __init__(self, places: list[Place]) -> None:
        self.by_path: dict[str, Place] = {}
        # what is at a path whatever its case: one file at most
        self._folds: dict[str, str] = {}
        self._folders: Counter[str] = Counter()
        for place in places:
            self.add(place)

    def add(self, place: Place) -> None:
        """Let a file be where it says."""
        fold = folded(place.path)
        if place.path not in self.by_path:
            self._folders.update(folders(fold))
        self.by_path[place.path] = place
        self._folds[fold] = place.path

    def take(self, path: str) -> Place:
        """Take a file away."""
        fold = folded(path)
        del self._folds[fold]
        self._folders.subtract(folders(fold))
        return self.by_path.pop(path)

    def check_free(self, path: str) -> None:
        """Refuse a path that another file is at, in whatever case, or in the way of."""
        fold = folded(path)
        twin = self._folds.get(fold)
        if twin is not None and twin != path:
            raise InvalidPathError("A path differs from another in case alone.", {"path": twin})
        if self._folders[fold] > 0:
            raise InvalidPathError("There is a folder at the path.", {"path": path})
        for folder in folders(fold):
            if folder in self._folds:
                blocking = {"path": self._folds[folder]}
                raise InvalidPathError("There is a file where a folder is to be.", blocking)


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
        self._places = Places(
            [
                Place(path=c.path, hash=c.hash, size=c.size, encoding=c.encoding, document=c)
                for c in current
            ]
        )
        self._now = self._places.by_path

    def step(self, operation: Operation) -> None:
        """Take one step, or raise the ``ServiceError`` that says why not; nothing is half done."""
        path = checked_path(operation.path)
        self._check_match(operation)
        match operation.op:
            case "create" | "update" | "upsert":
                self._write(operation, path)
            case "delete":
                for name in self._inside(path):
                    self._places.take(name)
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
        self._places.check_free(path)
        here = self._now.get(path)
        self._places.add(
            Place(
                path=path,
                hash=content.hash,
                size=content.size,
                encoding=content.encoding,
                content=content,
                document=here.document if here else None,
            )
        )

    def _relocate(self, operation: Operation, path: str) -> None:
        if operation.to is None:
            raise InvalidError.of("to", "This is required.")
        to = checked_path(operation.to)
        if to == path or to.startswith(f"{path}/"):
            raise InvalidError.of("to", "A file or folder does not go into itself.")
        inside = self._inside(path)
        self._count(inside)
        targets = {name: checked_path(to + name[len(path) :]) for name in inside}
        if operation.op == "copy":
            came = [self._now[name] for name in inside]
            self._arrive([_put(place, targets[place.path], None) for place in came])
            return
        left = [self._places.take(name) for name in inside]
        try:
            self._arrive([_put(place, targets[place.path], place.document) for place in left])
        except ServiceError:
            for place in left:
                self._places.add(place)
            raise

    def _arrive(self, places: list[Place]) -> None:
        """Let files be at new paths: all, or none where one of those is taken."""
        for place in places:
            if place.path in self._now:
                taken = {"path": place.path}
                raise FileExistsAlreadyError("There is a file at the path.", taken)
            self._places.check_free(place.path)
        for place in places:
            self._places.add(place)

    def _count(self, inside: list[str]) -> None:
        self._moves += len(inside)
        if self._moves > self._moves_max:
            limit = self._moves_max
            raise PayloadTooLargeError("The steps move too many files.", {"limit": limit})

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
        came = [place for place in self._now.values() if self._differs(place)]
        moved = {
            place.document.path: place.path
            for place in came
            if place.document and self._is_moved(place)
        }
        gone = [
            Change(path=path, hash=None, expected=before.hash, moved_to=moved.get(path))
            for path, before in self._before.items()
            if path not in self._now
        ]
        return gone + [self._written(place) for place in came]

    def _differs(self, place: Place) -> bool:
        before = self._before.get(place.path)
        return before is None or before.hash != place.hash

    def _is_moved(self, place: Place) -> bool:
        """The document was elsewhere, and nothing is there now."""
        document = place.document
        return document is not None and document.path not in self._now

    def _written(self, place: Place) -> Change:
        before = self._before.get(place.path)
        document = place.document if self._is_moved(place) else None
        content = place.content
        return Change(
            path=place.path,
            hash=place.hash,
            size=place.size,
            encoding=place.encoding,
            content=content.data if content else None,
            document_id=document.document_id if document else None,
            last_version=document.version if document else 0,
            moved_from=document.path if document else None,
            expected=before.hash if before else None,
            must_be="any" if before else "absent",
            is_quiet=document is not None and document.hash == place.hash,
        )


def _put(place: Place, path: str, document: Current | None) -> Place:
    return msgspec.structs.replace(place, path=path, document=document)


def touched(operations: list[Operation]) -> tuple[list[str], list[str]]:
    """The paths, and the folders, whose state the steps depend on.

    Without what is no path, however long: its step refuses it.
    """
    sources = {o.path for o in operations if _is_path(o.path)}
    targets = {o.to for o in operations if o.to is not None and _is_path(o.to)}
    paths = sources | targets
    # a file there would be in the way
    above = {folder for path in paths for folder in folders(path)}
    moving = {o.path for o in operations if o.op in {"move", "copy", "delete"}} & sources
    return sorted(paths | above), sorted(f"{path}/" for path in moving | targets)


def _is_path(path: str) -> bool:
    try:
        checked_path(path)
    except InvalidPathError:
        return False
    return True
