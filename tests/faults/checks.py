"""Whether the tables have what was acknowledged, all of it once, and nothing by halves."""

from collections import Counter, defaultdict
from itertools import pairwise
from uuid import UUID

from tests.faults.client import differing
from tests.faults.door import Tally
from tests.faults.history import Counted, Row, Tables, commits, stepped
from tests.faults.ledger import (
    SHARED,
    SLOTS,
    TOGETHER,
    Ledger,
    Made,
    Project,
    Tree,
    group_of,
    tree_hash,
)


def sequence(project: Project, rows: list[Row], counted: Counted, tally: Tally) -> None:
    """The history is 1..n in the order of the commits, and the head says the same as a recount."""
    name = project.path
    if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
        tally.fault("broken histories", f"{name}: seq is not 1..{len(rows)}")
    if any(b.at < a.at for a, b in pairwise(rows)):
        tally.fault("broken histories", f"{name}: time goes back")
    parts = list(commits(rows))
    if len(parts) != len({row.commit for row in rows}):
        tally.fault("broken histories", f"{name}: one commit's changes are not side by side")
    versions: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.version <= versions[row.path]:
            tally.fault("broken histories", f"{name}: {row.path} counts {row.version} again")
        versions[row.path] = row.version
    right = (len(rows), counted.bytes_of_contents, counted.files_there)
    if (counted.seq, counted.bytes, counted.files) != right:
        tally.fault("wrong heads", f"{name}: {counted}")
    if counted.bytes_of_versions != counted.bytes_of_contents:
        tally.fault("wrong heads", f"{name}: {counted}")


def halves(project: Project, rows: list[Row], tally: Tally) -> dict[int, Tree]:
    """No commit leaves a batch by halves; return the tree that each left, by its last ``seq``."""
    marks = project.ledger.marks
    tree: Tree = {}
    trees = {0: tree}
    for part in commits(rows):
        tree = stepped(tree, part)
        trees[part[-1].seq] = tree
        for group in {group_of(row.path) for row in part} - {""}:
            inside = {p: c for p, c in tree.items() if p.startswith(group)}
            found = {(p.rpartition("/")[0], marks.get(c)) for p, c in inside.items()}
            if inside and (len(inside) != SLOTS or len(found) != 1):
                place = f"{project.path} at {part[-1].seq}"
                tally.fault("half batches", f"{place}: {sorted(inside.items())}")
    return trees


def acknowledged(project: Project, rows: list[Row], tally: Tally) -> None:
    """What one client alone wrote is there in its order: nothing missing, nothing twice."""
    found: dict[str, list[str | None]] = defaultdict(list)
    for row in rows:
        found[row.path].append(row.hash)
    for path, right in project.ledger.own.items():
        if found[path] != right:
            tally.fault("lost or twice", f"{project.path}, {path}: {_first(found[path], right)}")
    unknown = [p for p in found if p.startswith("own/") and p not in project.ledger.own]
    if unknown:
        tally.fault("lost or twice", f"{project.path}: nobody wrote {unknown[:5]}")
    _shared(project.path, project.ledger, rows, tally)


def _first(found: list[str | None], right: list[str | None]) -> str:
    pairs = zip(found, right, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(found), len(right)))
    return f"{len(found)} versions, not {len(right)}; the {at + 1}. is another"


def _shared(name: str, ledger: Ledger, rows: list[Row], tally: Tally) -> None:
    there = Counter((r.path, r.hash) for r in rows if r.path.startswith(SHARED) and r.hash)
    for key in there.keys() | ledger.shared.keys():
        least = ledger.shared[key]
        if not least <= there[key] <= max(least, int(key in ledger.unsure)):
            tally.fault("lost or twice", f"{name}: {key} is there {there[key]} times, not {least}")
    last: dict[str, str | None] = {}
    for row in rows:
        if row.path.startswith(SHARED) and row.hash:
            if ledger.bases.get(row.hash) != last.get(row.path):
                tally.fault("overwritten", f"{name}, {row.path} at {row.seq}: on another's change")
            last[row.path] = row.hash
    group = [row for row in rows if row.path.startswith(TOGETHER)]
    if Counter((r.path, r.hash) for r in group if r.hash) != ledger.together:
        tally.fault("lost or twice", f"{name}: the contents of {TOGETHER} are not as acknowledged")
    if sum(row.hash is None for row in group) != ledger.cleared * SLOTS:
        tally.fault("lost or twice", f"{name}: {TOGETHER} did not go as often as acknowledged")


async def made(tables: Tables, made: Made, known: set[UUID], tally: Tally) -> None:
    """Each project that was asked for is there once and whole; there is no other."""
    found = await tables.projects()
    names = Counter(name for _, name in found)
    for project_id, name in found:
        if project_id in known:
            continue
        if made.acknowledged.get(name) != project_id or names[name] != 1:
            tally.fault("stray projects", f"{name!r} is there {names[name]} times")
        await _whole(tables, project_id, name, made.trees.get(name, {}), tally)
    for name in made.acknowledged.keys() - names.keys():
        tally.fault("lost or twice", f"the project {name!r} is not there")
    if await tables.orphans():
        tally.fault("stray projects", "a project is nobody's")


async def _whole(tables: Tables, project_id: UUID, name: str, right: Tree, tally: Tally) -> None:
    tree = await tables.tree(project_id)
    if tree_hash(tree) != tree_hash(right):
        tally.fault("half imports", f"{name!r}: {differing(tree, right)}")
    rows = await tables.rows(project_id)
    if [row.seq for row in rows] != list(range(1, len(right) + 1)):
        tally.fault("half imports", f"{name!r}: its history is not that of its files")
    counted = await tables.counted(project_id)
    files = {counted.seq, counted.files, counted.files_there}
    if files != {len(right)} or counted.bytes != counted.bytes_of_contents:
        tally.fault("wrong heads", f"{name!r}: {counted}")
