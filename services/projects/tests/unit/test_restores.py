"""From one tree to another, without a database."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from projects.checkpoints.types import Standing, changes_between
from projects.files.types import Change

_SPACE = UUID(int=0)
# a path, which document is there, and what is in it
_TREES = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.integers(0, 7), st.sampled_from(["1", "2", "3"])),
    max_size=6,
)


def standing(tree: dict[str, tuple[int, str]]) -> list[Standing]:
    """A tree's files; of two that would be the same document the second is another."""
    seen: set[int] = set()
    files = []
    for number, (path, (document, content)) in enumerate(tree.items()):
        own = document if document not in seen else 100 + number
        seen.add(own)
        document_id = uuid5(_SPACE, str(own))
        files.append(Standing(path, document_id, 1, content, 1, "utf-8"))
    return files


def applied(now: list[Standing], changes: list[Change]) -> dict[str, str]:
    """What is there after the changes, each of which finds what it expects."""
    there = {file.path: file.hash or "" for file in now}
    gone = [change for change in changes if change.hash is None]
    came = [change for change in changes if change.hash is not None]
    assert changes == gone + came
    for change in changes:
        assert there.get(change.path) == change.expected
        assert change.must_be == "any" or change.path not in there
        if change.hash is None:
            del there[change.path]
        else:
            there[change.path] = change.hash
    return there


@given(now=_TREES, then=_TREES)
def test_changes_lead_from_any_tree_to_any_other(
    now: dict[str, tuple[int, str]], then: dict[str, tuple[int, str]]
) -> None:
    here, there = standing(now), standing(then)
    changes = changes_between(here, there)
    assert applied(here, changes) == {file.path: file.hash for file in there}
    assert len({change.path for change in changes}) == len(changes)
    left = {c.path: c.moved_to for c in changes if c.moved_to}
    came = {c.moved_from: c.path for c in changes if c.moved_from}
    assert left == came


@given(tree=_TREES)
def test_nothing_leads_from_a_tree_to_itself(tree: dict[str, tuple[int, str]]) -> None:
    assert changes_between(standing(tree), standing(tree)) == []


def test_a_document_that_is_elsewhere_moves() -> None:
    here = [Standing("there", UUID(int=1), 4, "2", 1, "utf-8")]
    there = [Standing("here", UUID(int=1), 2, "1", 1, "utf-8")]
    gone, came = changes_between(here, there)
    assert (gone.path, gone.moved_to) == ("there", "here")
    assert (came.document_id, came.last_version, came.is_quiet) == (UUID(int=1), 4, False)
