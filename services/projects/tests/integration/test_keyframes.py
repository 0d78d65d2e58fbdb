"""The past is read from keyframes, and is the same whether there are any or not."""

from uuid import UUID

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from services.projects.tests.desk import Desk

from common.testing.apps import Client
from common.testing.waiting import until
from projects.history_tables import FileVersionRow, KeyframeRow
from projects.keyframes import repository as keyframes

# what is there after each: a path, its content or nothing, and whether a keyframe is made then
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "d/a", "d/b", "e"]),
        st.one_of(st.none(), st.sampled_from(["1", "2", "3"])),
        st.booleans(),
    ),
    min_size=1,
    max_size=15,
)


async def made(desk: Desk, project: str) -> list[int]:
    """Which moments of a project have a keyframe."""
    project_id = UUID(project.rpartition("/")[2])
    statement = sa.select(KeyframeRow.seq).where(KeyframeRow.project_id == project_id)
    return await desk.client.db.all(statement.order_by(KeyframeRow.seq), int)


@settings(max_examples=30, deadline=None)
@given(steps=_STEPS)
async def test_whatever_keyframes_there_are_the_past_is_what_it_was(
    client: Client, steps: list[tuple[str, str | None, bool]]
) -> None:
    desk = Desk(client)
    project = await desk.project()
    project_id = UUID(project.rpartition("/")[2])
    past: dict[int, dict[str, str | None]] = {0: {}}
    files: dict[tuple[str, int], str | None] = {}
    for path, content, is_framed in steps:
        if await _is_changed(desk, project, path, content):
            files[path, len(past)] = content
            past[len(past)] = await desk.tree(project)
        if is_framed:
            await keyframes.make(client.db, project_id)
    times = await _times(client, project_id)
    for moment, then in past.items():
        assert await desk.tree(project, f"at={moment}") == then
        assert moment == 0 or await desk.tree(project, f"at={times[moment]}") == then
    for (path, moment), content in files.items():
        answer = await desk.call("GET", f"{project}/files/{path}?at={moment}")
        assert (answer.json()["data"]["content"] if answer.is_success else None) == content


async def _is_changed(desk: Desk, project: str, path: str, content: str | None) -> bool:
    """Write a file or let it go; whether that was a change."""
    if content is None:
        return (await desk.call("DELETE", f"{project}/files/{path}")).is_success
    return "unchanged" not in (await desk.put(project, path, content)).json()["data"]


async def _times(client: Client, project_id: UUID) -> dict[int, str]:
    """When each change of a project was made."""
    version = FileVersionRow
    statement = sa.select(version.seq, version.at).where(version.project_id == project_id)
    rows = await client.db.all(
        statement, lambda seq, at: (seq, at.isoformat().replace("+00:00", "Z"))
    )
    return dict(rows)


async def test_much_change_makes_a_keyframe_by_itself(desk: Desk) -> None:
    project = await desk.project()
    steps = [{"op": "create", "path": f"d/{number}", "content": "x"} for number in range(500)]
    await desk.batch(project, *steps)
    assert await made(desk, project) == []
    changes = [{"op": "upsert", "path": f"d/{number}", "content": "y"} for number in range(500)]
    await desk.batch(project, *changes)

    async def is_made() -> bool:
        return await made(desk, project) == [1000]

    await until(is_made)
    await desk.put(project, "later", "z")
    assert await desk.tree(project, "at=1001") == await desk.tree(project)
    assert len(await desk.tree(project, "at=1000")) == 500
