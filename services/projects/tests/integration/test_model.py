"""Random steps on files through HTTP, beside a model of them that is a dictionary."""

import hashlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from services.projects.tests.desk import Desk

from common.testing.apps import Client

type Model = dict[str, str]
type Step = tuple[str, str, str]
# what was there at each number of the history that a step ended with
type Past = dict[int, Model]

_PATHS = st.sampled_from(["a", "A", "b", "d", "d/x", "d/y", "D/x", "e/x", "e/x/z"])
_PLACES = st.one_of(_PATHS, st.sampled_from(["d", "e", "f/g"]))
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "post"]), _PATHS, st.sampled_from(["1", "2", "3"])),
        st.tuples(st.just("delete"), _PATHS, st.just("")),
        st.tuples(st.sampled_from(["move", "copy"]), _PLACES, _PLACES),
        st.tuples(st.sampled_from(["match", "stale"]), _PATHS, st.sampled_from(["1", "2", "3"])),
        st.tuples(st.just("restore"), st.integers(0, 12).map(str), st.just("")),
    ),
    max_size=12,
)


def placed(model: Model, path: str, content: str) -> Model | None:
    """The model with ``content`` at ``path``; nothing where something else is in its way."""
    if any(name != path and in_the_way(name.lower(), path.lower()) for name in model):
        return None
    return {**model, path: content}


def in_the_way(one: str, other: str) -> bool:
    """Whether two paths are the same place, or one would be a folder of the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def stepped(past: Past, op: str, path: str, argument: str) -> Model | None:
    """What a step makes of the newest model; nothing where it must be refused."""
    model = past[max(past)]
    if op == "restore":
        return past[moment(past, path)]
    if op == "match":
        return placed(model, path, argument) if path in model else None
    if op == "stale":
        # what is there already is there, whatever was expected
        return model if model.get(path) == argument else None
    if op in {"put", "post"}:
        return None if op == "post" and path in model else placed(model, path, argument)
    if op == "delete":
        return {n: c for n, c in model.items() if n != path} if path in model else None
    return relocated(model, path, argument, is_move=op == "move")


def moment(past: Past, which: str) -> int:
    """One of the moments that were seen."""
    return sorted(past)[int(which) % len(past)]


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


async def taken(desk: Desk, project: str, past: Past, step: Step) -> bool:
    """Take a step through HTTP; whether it was taken. What a write answers is checked here."""
    op, path, argument = step
    if op == "restore":
        return await restored(desk, project, past, moment(past, path))
    file = f"{project}/files/{path}"
    if op in {"move", "copy"}:
        answer = await desk.batch(project, {"op": op, "path": path, "to": argument})
    elif op == "delete":
        answer = await desk.call("DELETE", file)
    else:
        model = past[max(past)]
        known = hash_of(model[path]) if op == "match" and path in model else "other"
        condition = {"if-match": f'"{known}"'} if op in {"match", "stale"} else {}
        method = "POST" if op == "post" else "PUT"
        answer = await desk.call(method, file, sends={"content": argument}, **condition)
        assert not answer.is_success or answer.headers["etag"] == f'"{hash_of(argument)}"'
    assert answer.is_success or answer.status_code in {400, 404, 409, 412}
    return answer.is_success


async def restored(desk: Desk, project: str, past: Past, seq: int) -> bool:
    """Let the project be what it was at a moment."""
    sends = {"name": f"of {seq}", "at": str(seq)}
    made = (await desk.call("POST", f"{project}/checkpoints", sends=sends)).json()["data"]
    assert made["files"] == len(past[seq])
    answer = await desk.call("POST", f"{project}/checkpoints/{made['id']}/restore")
    assert answer.status_code == 200, answer.text
    return True


def hash_of(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def hashed(model: Model) -> dict[str, str]:
    """The hash at each path."""
    return {path: hash_of(text) for path, text in model.items()}


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


@settings(max_examples=25, deadline=None)
@given(steps=_STEPS)
async def test_files_behave_like_a_dictionary_with_a_memory(
    client: Client, steps: list[Step]
) -> None:
    desk = Desk(client)
    project = await desk.project()
    past: Past = {0: {}}
    for step in steps:
        after = stepped(past, *step)
        assert await taken(desk, project, past, step) == (after is not None), step
        usage = (await desk.call("GET", f"{project}/usage")).json()["data"]
        now = past[max(past)] if after is None else after
        past[usage["seq"]] = now
        assert (await desk.tree(project), usage["files"]["used"]) == (hashed(now), len(now)), step
    await check_memory(desk, project, past)


async def check_memory(desk: Desk, project: str, past: Past) -> None:
    """Nothing of what was is lost, and the events and the history tell the same."""
    events = [e for e in await desk.events(project) if e.subject.startswith("projects.file.")]
    assert replayed(events) == hashed(past[max(past)])
    told = await history(desk, project)
    assert [change["seq"] for change in told] == list(range(1, max(past) + 1))
    known: dict[str, str] = {}
    for seq, change in enumerate(told, 1):
        known.pop(change["path"], None)
        if change["hash"] is not None:
            known[change["path"]] = change["hash"]
        if seq in past:
            assert known == hashed(past[seq])
            assert await desk.tree(project, f"at={seq}") == known


async def history(desk: Desk, project: str) -> list[dict[str, Any]]:
    """Everything that is told of a project, the oldest first."""
    told: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await desk.call("GET", f"{project}/history?limit=100&cursor={cursor}")
        told += answer.json()["data"]
        cursor = answer.json()["meta"]["nextCursor"]
    return told[::-1]
