"""Which texts of a project name something: as they are, and as they ever were."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
from services.projects.tests.desk import Desk
from services.projects.tests.live import Live
from services.projects.tests.studio import Studio

from common.testing.apps import Serving, identity

NAME = "assets/ball.png"
HASH = "ab" * 32


async def ask(desk: Desk, project: str, *needles: str, **more: Any) -> dict[str, Any]:
    """Look once."""
    path = f"/internal/projects/{project.rpartition('/')[2]}/mentions"
    answer = await desk.client.call("POST", path, sends={"needles": list(needles), **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def found(
    desk: Desk, project: str, *needles: str, ever: bool = False
) -> list[tuple[str, str, int]]:
    """Look to the end."""
    told: list[tuple[str, str, int]] = []
    after = None
    while True:
        stretch = await ask(desk, project, *needles, everBefore=ever, after=after)
        told += [(one["needle"], one["path"], one["line"]) for one in stretch["mentions"]]
        after = stretch["nextCursor"]
        if after is None:
            return sorted(told)


async def test_files_that_name_something_are_told_with_their_lines(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.ts", f'const a = "{NAME}";\n\nconst b = "{HASH}";\n')
    await desk.put(project, "copy.ts", f'const a = "{NAME}";\n\nconst b = "{HASH}";\n')
    await desk.put(project, "b.md", f"nothing: {NAME}.bak, src/{NAME}, {HASH}0")
    await desk.put(project, "assets/ball.png", "a file of that path does not name itself")
    assert await found(desk, project, NAME, HASH) == [
        (HASH, "a.ts", 3),
        (HASH, "copy.ts", 3),
        (NAME, "a.ts", 1),
        (NAME, "copy.ts", 1),
    ]
    assert await found(desk, project, "assets/other.png") == []


async def test_the_present_is_told_from_the_past(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.ts", NAME)
    await desk.put(project, "a.ts", "nothing any more")
    await desk.put(project, "b.ts", f"\n{HASH}")
    await desk.call("DELETE", f"{project}/files/b.ts")
    assert await found(desk, project, NAME, HASH) == []
    assert await found(desk, project, NAME, HASH, ever=True) == [
        (HASH, "b.ts", 2),
        (NAME, "a.ts", 1),
    ]
    assert (await desk.call("DELETE", project)).status_code == 204
    # what is in the trash may come back
    assert len(await found(desk, project, NAME, HASH, ever=True)) == 2


async def test_bytes_that_are_no_text_name_nothing(desk: Desk) -> None:
    project = await desk.project()
    headers = identity(desk.client.secret, desk.owner, content_type="image/x-any")
    data = b"\xff\0" + NAME.encode()
    await desk.client.request("PUT", f"{project}/files/a.bin", headers=headers, content=data)
    assert await found(desk, project, NAME) == await found(desk, project, NAME, ever=True) == []


@pytest.fixture
async def small(serve: Serving) -> AsyncGenerator[Desk]:
    """The service, where a thousand bytes are many, and little is done in one call."""
    async with serve(INLINE_BYTES_MAX="1000", MENTIONS_S_MAX="0") as client:
        yield Desk(client)


async def test_large_texts_are_looked_through_as_well_one_stretch_after_another(
    small: Desk,
) -> None:
    project = await small.project()
    for number in range(3):
        text = f"{uuid4()}\n" * 30_000 * 4 + NAME
        assert (await small.put(project, f"{number}.txt", text)).status_code == 201
    assert (await ask(small, project, NAME))["nextCursor"] is not None
    lines = [(NAME, f"{number}.txt", 120_001) for number in range(3)]
    assert await found(small, project, NAME) == lines
    assert await found(small, project, NAME, ever=True) == lines


async def test_only_the_fleet_may_ask_and_only_what_can_be_looked_for(desk: Desk) -> None:
    project = await desk.project()
    path = f"/internal/projects/{project.rpartition('/')[2]}/mentions"
    unasked = await desk.client.post(path, json={"needles": [NAME]})
    assert unasked.status_code == 401
    many = [f"{number:064}" for number in range(101)]
    for needles in ([], [""], ["short"], many, ["x" * 1_025]):
        refused = await desk.client.call("POST", path, sends={"needles": needles})
        assert refused.status_code == 400
    nowhere = f"/internal/projects/{uuid4()}/mentions"
    nothing = await desk.client.call("POST", nowhere, sends={"needles": [NAME]})
    assert nothing.status_code == 404


async def test_what_is_being_typed_is_not_guessed_where_collab_is_away(serve: Serving) -> None:
    async with serve(COLLAB_URL="http://127.0.0.1:9") as client:
        desk = Desk(client)
        project = await desk.project()
        await desk.put(project, "a.ts", "nothing")
        assert (await Live(desk, project).open("a.ts"))["isText"]
        path = f"/internal/projects/{project.rpartition('/')[2]}/mentions"
        answer = await desk.client.call("POST", path, sends={"needles": [NAME]})
        assert answer.status_code == 503


@pytest.mark.usefixtures("collab")
async def test_what_is_being_typed_counts(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    await studio.typed(project, "a", f"{NAME} ")
    assert await found(desk, project, NAME) == [(NAME, "a", 1)]
    assert await found(desk, project, NAME, ever=True) == [(NAME, "a", 1)]
