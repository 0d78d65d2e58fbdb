"""What a request costs: hot routes ask the database once, and wait for it once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import pytest
from services.projects.tests.desk import Desk

from common.testing.apps import Serving
from fleet.counting import Turns

type Call = Callable[[Desk, str, int], Awaitable[httpx.Response]]

_WARM = 3
_COUNTED = 3
HOT: dict[str, Call] = {
    "show": lambda desk, project, _: desk.call("GET", project),
    "index": lambda desk, _, __: desk.call("GET", "/api/v1/projects?limit=20"),
    "stretch": lambda desk, _, __: desk.call("GET", "/api/v1/projects?cursor=&limit=20"),
    "find": lambda desk, _, __: desk.call("GET", "/api/v1/projects?q=pong&sort=name"),
    "find a stretch": lambda desk, _, __: desk.call("GET", "/api/v1/projects?q=pong&cursor="),
    "create": lambda desk, _, n: desk.call("POST", "/api/v1/projects", sends={"name": f"{n}"}),
    "show file": lambda desk, project, _: desk.call("GET", f"{project}/files/a.txt"),
    "bytes": lambda desk, project, _: desk.call("GET", f"{project}/files/a.txt?raw=1"),
    "write file": lambda desk, project, n: desk.put(project, "a.txt", f"content {n}"),
    "new file": lambda desk, project, n: desk.put(project, f"new{n}.txt", "content"),
    "large file": lambda desk, project, n: desk.put(project, "big.txt", f"{n}" * 300_000),
    "delete file": lambda desk, project, n: desk.call("DELETE", f"{project}/files/d{n}"),
    "index files": lambda desk, project, _: desk.call("GET", f"{project}/files?limit=20"),
    "tree": lambda desk, project, _: desk.call("GET", f"{project}/tree"),
    "absent": lambda desk, project, _: desk.call("GET", f"{project}/files/none"),
    "refused": lambda desk, project, _: desk.put(project, "a.txt", "x", desk.stranger),
}


@pytest.fixture
async def counted(serve: Serving, turns: Turns, told: dict[str, str]) -> AsyncGenerator[Desk]:
    """The service behind a counter; its relay, which has turns of its own, has nowhere to go."""
    url = turns.url(told["DATABASE_URL"])
    # what goes on by itself would be counted
    alone = {"NATS_URL": "nats://127.0.0.1:1", "JOB_POLL_S": "3600", "SWEEP_EVERY_S": "3600"}
    async with serve(DATABASE_URL=url, **alone) as client:
        yield Desk(client)


async def test_a_hot_route_takes_one_turn(counted: Desk, turns: Turns) -> None:
    project = await counted.project()
    await counted.put(project, "a.txt", "content")
    await counted.batch(
        project,
        *[{"op": "create", "path": f"d{n}", "content": "x"} for n in range(_WARM + _COUNTED)],
    )
    taken = {}
    for name, call in HOT.items():
        for number in range(_WARM):
            await call(counted, project, number)
        costs = []
        for number in range(_WARM, _WARM + _COUNTED):
            turns.taken()
            answer = await call(counted, project, number)
            costs.append(turns.taken())
            assert answer.status_code < 500, name
        # what begins with the service takes turns meanwhile, and never fewer
        taken[name] = min(costs)
    assert taken == dict.fromkeys(HOT, 1)


async def test_requests_at_once_share_their_turns(counted: Desk, turns: Turns) -> None:
    project = await counted.project()
    for _ in range(_WARM):
        await counted.call("GET", project)
        await asyncio.gather(*[counted.call("GET", project) for _ in range(8)])
    turns.taken()
    answers = await asyncio.gather(*[counted.call("GET", project) for _ in range(64)])
    assert {a.status_code for a in answers} == {200}
    assert turns.taken() <= 8
