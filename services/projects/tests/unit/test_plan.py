"""What a batch means, without a database."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ServiceError
from common.ids import uuid7
from projects.files.plan import Plan
from projects.files.schema import Operation
from projects.files.types import Current, folded


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _current(path: str, text: str = "old") -> Current:
    return Current(path, folded(path), uuid7(), 1, _hash(text), len(text), "utf-8")


def _plan(*paths: str) -> Plan:
    return Plan([_current(path) for path in paths], 1000, 100)


def _refused(plan: Plan, **operation: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        plan.step(Operation(**operation))
    return caught.value.code


def test_steps_see_what_earlier_steps_left() -> None:
    plan = _plan()
    plan.step(Operation(op="create", path="a", content="1"))
    plan.step(Operation(op="move", path="a", to="b"))
    plan.step(Operation(op="copy", path="b", to="c"))
    plan.step(Operation(op="delete", path="b"))
    assert [(c.path, c.hash) for c in plan.changes()] == [("c", _hash("1"))]


def test_a_folder_moves_with_all_that_is_in_it() -> None:
    plan = _plan("src/a", "src/b/c", "srcs")
    plan.step(Operation(op="move", path="src", to="lib"))
    changes = plan.changes()
    assert {c.path: c.moved_to for c in changes if c.hash is None} == {
        "src/a": "lib/a",
        "src/b/c": "lib/b/c",
    }
    assert all(c.is_quiet and c.document_id for c in changes if c.hash is not None)


def test_a_move_that_changes_case_alone_is_a_move() -> None:
    plan = _plan("Main.ts")
    plan.step(Operation(op="move", path="Main.ts", to="main.ts"))
    assert [(c.path, c.moved_to) for c in plan.changes()] == [
        ("Main.ts", "main.ts"),
        ("main.ts", None),
    ]


def test_a_folder_that_doubles_again_and_again_is_stopped() -> None:
    plan = _plan("a/x")
    for number in range(5):
        plan.step(Operation(op="copy", path="a", to=f"b{number}"))
        plan.step(Operation(op="move", path=f"b{number}", to=f"a/{number}"))
    plan.step(Operation(op="copy", path="a", to="c"))
    assert _refused(plan, op="copy", path="a", to="d") == "PAYLOAD_TOO_LARGE"
    assert len(plan.changes()) == 63


def test_what_comes_back_to_what_it_was_is_no_change() -> None:
    plan = _plan("a")
    plan.step(Operation(op="update", path="a", content="new"))
    plan.step(Operation(op="update", path="a", content="old"))
    assert plan.changes() == []


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "create", "path": "a", "content": "x"}, "FILE_EXISTS"),
        ({"op": "update", "path": "b", "content": "x"}, "NOT_FOUND"),
        ({"op": "upsert", "path": "A", "content": "x"}, "INVALID_PATH"),
        ({"op": "upsert", "path": "../a", "content": "x"}, "INVALID_PATH"),
        ({"op": "upsert", "path": "b"}, "VALIDATION_ERROR"),
        ({"op": "upsert", "path": "b", "content": "%", "encoding": "base64"}, "VALIDATION_ERROR"),
        ({"op": "upsert", "path": "b", "content": "x" * 1001}, "PAYLOAD_TOO_LARGE"),
        ({"op": "delete", "path": "b"}, "NOT_FOUND"),
        ({"op": "move", "path": "b", "to": "c"}, "NOT_FOUND"),
        ({"op": "move", "path": "a"}, "VALIDATION_ERROR"),
        ({"op": "move", "path": "a", "to": "a/b"}, "VALIDATION_ERROR"),
        ({"op": "copy", "path": "a", "to": "d/e"}, "FILE_EXISTS"),
        (
            {"op": "upsert", "path": "a", "content": "x", "if_match": '"nope"'},
            "PRECONDITION_FAILED",
        ),
        ({"op": "upsert", "path": "b", "content": "x", "if_match": "*"}, "PRECONDITION_FAILED"),
    ],
)
def test_a_step_that_cannot_be_taken_says_why(operation: dict[str, Any], code: str) -> None:
    assert _refused(_plan("a", "d/e"), **operation) == code


_PATHS = st.sampled_from(["a", "b", "c/d", "c/e", "f"])
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "upsert", "delete", "move", "copy"]), _PATHS, _PATHS
    ),
    max_size=12,
)


@given(_STEPS)
def test_the_changes_lead_from_the_tree_before_to_the_tree_after(
    steps: list[tuple[Any, str, str]],
) -> None:
    before = {"a": "old", "c/d": "old"}
    plan, model = _plan(*before), dict(before)
    for number, (op, path, to) in enumerate(steps):
        operation = Operation(op=op, path=path, to=to, content=str(number))
        try:
            plan.step(operation)
        except ServiceError:
            continue
        if op in {"create", "update", "upsert"}:
            model[path] = str(number)
        elif op == "delete":
            del model[path]
        else:
            model[to] = model[path]
            if op == "move":
                del model[path]
    after = {path: _hash(text) for path, text in before.items()}
    for change in plan.changes():
        if change.hash is None:
            del after[change.path]
        else:
            after[change.path] = change.hash
    assert after == {path: _hash(text) for path, text in model.items()}
