"""What the clients know: what they were told is written, and what may be."""

import hashlib
from collections import Counter, defaultdict
from uuid import UUID

import msgspec

TOGETHER = "together/"
SHARED = "shared/"
SLOTS = 4
CHANGES_AT_ONCE = 2 * SLOTS

type Tree = dict[str, str]


def digest(data: bytes | str) -> str:
    """Return the hash of a content as the contract spells it."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def tree_hash(tree: Tree) -> str:
    """Return the hash of a tree as the contract spells it."""
    ordered = sorted(tree.items(), key=lambda item: item[0].encode())
    return digest(b"".join(f"{path}\0{content}\n".encode() for path, content in ordered))


def group_of(path: str) -> str:
    """Return the group of files that a path is in, which are always written together, or none."""
    if path.startswith(TOGETHER):
        return TOGETHER
    head, _, _ = path.partition("/m/")
    return f"{head}/m/" if head != path else ""


class Ledger:
    """What should be in one project, as its clients were answered."""

    def __init__(self) -> None:
        # of each path that one client alone writes: its contents, and ``None`` where it went
        self.own: dict[str, list[str | None]] = defaultdict(list)
        # the batch that brought a content of a group, by the content's hash
        self.marks: dict[str, str] = {}
        # contents that several write: acknowledged ones, and those whose answer was lost for good
        self.together: Counter[tuple[str, str]] = Counter()
        self.cleared = 0
        self.shared: Counter[tuple[str, str]] = Counter()
        self.unsure: set[tuple[str, str]] = set()
        # what each content of a shared file was based on
        self.bases: dict[str, str | None] = {}


class Project(msgspec.Struct, frozen=True):
    """A project that a few clients write."""

    project_id: UUID
    owner: UUID
    path: str
    ledger: Ledger


class Made:
    """The projects that clients made: by name, and the tree that each was made with."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, UUID] = {}
        self.trees: dict[str, Tree] = {}
        # the names of those that each client imported
        self.brought: dict[int, list[str]] = defaultdict(list)
