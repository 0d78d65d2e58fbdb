"""Two instances of the service, one of them another process: nothing stale, one winner."""

import asyncio
from urllib.parse import quote

import httpx
import pytest
from services.projects.tests.desk import Desk
from services.projects.tests.integration.test_files import tag

from common.testing.apps import Client
from common.testing.processes import Process


def via(desk: Desk, other: Process, number: int) -> Client | Process:
    """One instance for even numbers, the other for odd ones."""
    return other if number % 2 else desk.client


async def test_what_one_writes_the_other_reads(desk: Desk, other: Process) -> None:
    project = await desk.project()
    file = f"{project}/files/a.txt"
    for number in range(50):
        await desk.put(project, "a.txt", f"{number}")
        read = await other.call("GET", file, desk.owner)
        assert read.json()["data"]["content"] == f"{number}"
        written = await other.call("PUT", file, desk.owner, sends={"content": f"-{number}"})
        assert written.status_code == 200
        assert await desk.text(project, "a.txt") == f"-{number}"


async def test_of_two_that_saw_the_same_one_wins(desk: Desk, other: Process) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "start")
    file, seen = f"{project}/files/a.txt", "start"
    for round_ in range(10):
        writes = [
            via(desk, other, n).call(
                "PUT", file, desk.owner, sends={"content": f"{round_}/{n}"}, if_match=tag(seen)
            )
            for n in range(8)
        ]
        answers = await asyncio.gather(*writes)
        assert sorted(a.status_code for a in answers) == [200, *[412] * 7]
        seen = await desk.text(project, "a.txt") or ""
        [winner] = [n for n, a in enumerate(answers) if a.status_code == 200]
        assert seen == f"{round_}/{winner}"
    assert (await desk.subjects(project)).count("file.updated") == 10


async def test_of_two_that_create_one_does(desk: Desk, other: Process) -> None:
    project = await desk.project()
    for number in range(10):
        file = f"{project}/files/{number}"
        answers = await asyncio.gather(
            *[
                via(desk, other, n).call("POST", file, desk.owner, sends={"content": str(n)})
                for n in range(4)
            ]
        )
        assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]


async def test_of_two_cases_of_a_name_one_is_there(desk: Desk, other: Process) -> None:
    project = await desk.project()
    for number in range(10):
        names = (f"{project}/files/n{number}", f"{project}/files/N{number}")
        answers = await asyncio.gather(
            *[
                via(desk, other, n).call("PUT", file, desk.owner, sends={"content": file})
                for n, file in enumerate(names)
            ]
        )
        assert sorted(a.status_code for a in answers) == [201, 400]


async def test_batches_and_writes_at_once_leave_one_history(desk: Desk, other: Process) -> None:
    project = await desk.project()
    await desk.put(project, "src/a", "0")
    moves = [
        other.call(
            "POST",
            f"{project}/files/batch",
            desk.owner,
            sends={"operations": [{"op": "move", "path": "src", "to": f"lib{n}"}]},
        )
        for n in range(4)
    ]
    writes = [desk.put(project, "src/a", f"{n}") for n in range(8)]
    answers = await asyncio.gather(*moves, *writes)
    assert {a.status_code for a in answers} <= {200, 201, 404, 409, 412}
    tree = (await desk.call("GET", f"{project}/tree")).json()["data"]
    pin = await desk.client.call("POST", f"/internal{project.removeprefix('/api/v1')}/pin")
    assert pin.json()["treeHash"] == tree["hash"]


@pytest.mark.parametrize(
    "path",
    [
        "..%2fb",
        "%2e%2e%2fb",
        "%2e%2e/b",
        "a/%2e%2e/b",
        "a/..%2f..%2fb",
        "%2e",
        "a%2f%2fb",
        "a//b",
        "a/",
        "%5cb",
        "a%5cb",
        "a%00b",
        "a%0ab",
        "a%7fb",
        "C%3a%5cb",
        "CON",
        "con.txt",
        "src/NUL",
        "a%20",
        "a.",
        "cafe%CC%81",
        "%E2%80%AE",
        "x" * 256,
        "/".join(["y" * 124] * 4) + "/z",
        ".git/config",
        quote("a\u202eb"),
    ],
)
async def test_a_bad_path_is_refused_however_it_is_written(
    desk: Desk, other: Process, path: str
) -> None:
    project = await desk.project()
    for method, sends in (("PUT", {"content": "x"}), ("POST", {"content": "x"}), ("GET", None)):
        answer = await raw(other, method, f"{project}/files/{path}", desk, sends)
        assert answer.status_code == 400, (method, answer.text)
        assert answer.json()["error"]["code"] == "INVALID_PATH"
    assert await desk.tree(project) == {}


@pytest.mark.parametrize(
    "path", ["%252e%252e%252fb", "%25", "a%2Fb", "caf%C3%A9", "%F0%9F%8E%AE", "a+b", "a%26b%3Dc"]
)
async def test_a_good_path_means_one_thing(desk: Desk, other: Process, path: str) -> None:
    project = await desk.project()
    file = f"{project}/files/{path}"
    assert (await raw(other, "PUT", file, desk, {"content": path})).status_code == 201
    assert (await raw(other, "GET", file, desk)).json()["data"]["content"] == path
    [kept] = await desk.tree(project)
    assert kept == httpx.URL(f"http://x/{path}").path.removeprefix("/")


@pytest.mark.parametrize("path", ["%ff", "%c3%28", "%ed%a0%80"])
async def test_a_path_that_is_no_text_is_refused(desk: Desk, other: Process, path: str) -> None:
    project = await desk.project()
    answer = await raw(other, "PUT", f"{project}/files/{path}", desk, {"content": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PATH")
    assert await desk.tree(project) == {}


async def raw(
    other: Process, method: str, target: str, desk: Desk, sends: object = None
) -> httpx.Response:
    """Call with the target as it is written: a client would tidy dots away."""
    request = other.client.build_request(
        method,
        "/",
        json=sends,
        headers={"x-fleet-secret": other.secret, "x-user-id": str(desk.owner)},
        extensions={"target": target.encode()},
    )
    return await other.client.send(request)
