"""Random steps on files through HTTP, beside a model of them that is a dictionary."""

import hashlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from services.projects.tests.desk import Desk

from common.testing.apps import Client

type Model = dict[str, str]

_PATHS = st.sampled_from(["a", "A", "b", "d/x", "d/y", "D/x", "e/x"])
_PLACES = st.one_of(_PATHS, st.sampled_from(["d", "e", "f/g"]))
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "post"]), _PATHS, st.sampled_from(["1", "2", "3"])),
        st.tuples(st.just("delete"), _PATHS, st.just("")),
        st.tuples(st.sampled_from(["move", "copy"]), _PLACES, _PLACES),
    ),
    max_size=12,
)


def placed(model: Model, path: str, content: str) -> Model | None:
    """The model with ``content`` at ``path``; nothing where another case of it is there."""
    if any(name != path and name.lower() == path.lower() for name in model):
        return None
    return {**model, path: content}


def stepped(model: Model, op: str, path: str, argument: str) -> Model | None:
    """What a step makes of the model; nothing where it must be refused."""
    if op in {"put", "post"}:
        return None if op == "post" and path in model else placed(model, path, argument)
    if op == "delete":
        return {n: c for n, c in model.items() if n != path} if path in model else None
    return relocated(model, path, argument, is_move=op == "move")


def relocated(model: Model, path: str, to: str, *, is_move: bool) -> Model | None:
    """The model after a file or a folder was moved or copied."""
    inside = [path] if path in model else [n for n in model if n.startswith(f"{path}/")]
    if not inside or to == path or to.startswith(f"{path}/"):
        return None
    after: Model | None = {n: c for n, c in model.items() if not (is_move and n in inside)}
    for name in inside:
        target = to + name[len(path) :]
        if after is None or target in after:
            return None
        after = placed(after, target, model[name])
    return after


async def taken(desk: Desk, project: str, op: str, path: str, argument: str) -> bool:
    """Take a step through HTTP; whether it was taken."""
    file = f"{project}/files/{path}"
    if op in {"put", "post"}:
        answer = await desk.call(op.upper(), file, sends={"content": argument})
    elif op == "delete":
        answer = await desk.call("DELETE", file)
    else:
        answer = await desk.batch(project, {"op": op, "path": path, "to": argument})
    assert answer.is_success or answer.status_code in {400, 404, 409}
    return answer.is_success


def hashed(model: Model) -> dict[str, str]:
    """The hash at each path."""
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in model.items()}


def replayed(events: list[Any]) -> dict[str, str]:
    """The hash at each path, as who only heard the events knows it."""
    known: dict[str, str] = {}
    for event in events:
        match event.subject.split(".")[2]:
            case "moved":
                known.pop(event.data["path"], None)
                known[event.data["to"]] = event.data["hash"]
            case "deleted":
                del known[event.data["path"]]
            case _:
                known[event.data["path"]] = event.data["hash"]
    return known


@settings(max_examples=20, deadline=None)
@given(steps=_STEPS)
async def test_files_behave_like_a_dictionary_with_a_memory(
    client: Client, steps: list[tuple[str, str, str]]
) -> None:
    desk = Desk(client)
    project = await desk.project()
    inside = f"/internal/projects/{project.rpartition('/')[2]}"
    model: Model = {}
    past: dict[int, Model] = {}
    for step in steps:
        after = stepped(model, *step)
        assert await taken(desk, project, *step) == (after is not None), step
        model = model if after is None else after
        past[(await client.call("POST", f"{inside}/pin")).json()["seq"]] = model
    assert await desk.tree(project) == hashed(model)
    events = [e for e in await desk.events(project) if e.subject.startswith("projects.file.")]
    assert replayed(events) == hashed(model)
    for seq, then in past.items():
        tree = (await client.call("GET", f"{inside}/tree?seq={seq}")).json()
        assert {f["path"]: f["hash"] for f in tree["files"]} == hashed(then)
