"""What is said in a project is said at every process of the service, and ends with the project."""

import signal

import asyncpg
import pytest

from common.testing.processes import free_port
from common.testing.waiting import until

TABLES = ("talk", "talk_read", "chat_message", "chat_mention", "comment")


@pytest.fixture
async def other(process, service_env, desk):
    """A second process."""
    own = {
        "PORT": str(free_port()),
        "SOCKET_PORT": str(free_port()),
        "AUTH_URL": desk.auth.url,
        "PROJECTS_URL": desk.projects.url,
        "DRAIN_SECONDS": "0.2",
        "DRAIN_SPREAD_S": "0",
    }
    made = process(("collab.main",), service_env("collab") | own)
    await made.start()
    yield made
    await made.end(signal.SIGKILL)


async def test_a_comment_made_at_another_process_is_on_what_was_just_typed(desk, other):
    project = await desk.project()
    await desk.write(project, "a.txt", "one\n")
    client = await desk.open(project, "a.txt", desk.editor)
    guest = await desk.room(project, desk.viewer)
    await client.type(4, "two\n")
    await client.sync()
    body = {"text": "why?", "anchor": {"path": "a.txt", "line": 2}}
    path = f"/projects/{project}/comments"
    made = await desk.ask("POST", path, desk.owner, node=other, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["data"]["anchor"]["quote"] == "two"
    heard = await guest.frame(type="comment-created")
    assert heard["commentId"] == made.json()["data"]["id"]


async def test_who_is_at_another_process_says_it_to_all(desk, other):
    project = await desk.project()
    here = await desk.room(project, desk.viewer)
    where = f"/projects/{project}?ticket={desk.auth.ticket(desk.editor)}"
    there = desk.guest(await desk.connect(where, node=other))
    assert (await there.say(type="join-project"))["ok"]
    assert (await there.say(type="chat", text="from there"))["ok"]
    heard = [await guest.heard(type="chat") for guest in (here, there)]
    assert heard[0] == heard[1]
    said = {"text": "over HTTP"}
    await desk.ask("POST", f"/projects/{project}/chat", desk.owner, node=other, json=said)
    heard = [await guest.frame(type="chat", text="over HTTP") for guest in (here, there)]
    assert heard[0] == heard[1]


async def test_nothing_of_what_was_said_stays_when_a_project_is_gone_for_good(desk, service_env):
    project, kept = await desk.project(), await desk.project()
    for one in (project, kept):
        await desk.write(one, "a.txt", "text")
        said = {"text": "you", "mentions": [str(desk.viewer)]}
        await desk.ask("POST", f"/projects/{one}/chat", desk.owner, json=said)
        body = {"text": "why?", "anchor": {"path": "a.txt", "line": 1}}
        made = await desk.ask("POST", f"/projects/{one}/comments", desk.owner, json=body)
        path = f"/comments/{made.json()['data']['id']}/replies"
        await desk.ask("POST", path, desk.editor, json={"text": "because"})
    await desk.rest("DELETE", f"/projects/{project}?purge=true")
    database = await asyncpg.connect(service_env("collab")["DATABASE_URL"])

    async def rows(of):
        counts = [
            await database.fetchval(f"SELECT count(*) FROM {table} WHERE project_id = $1", of)  # noqa: S608 - the tables are named above
            for table in TABLES
        ]
        return dict(zip(TABLES, counts, strict=True))

    async def is_empty():
        return set((await rows(project)).values()) == {0}

    try:
        await until(is_empty)
        assert await rows(kept) == {
            "talk": 1,
            "talk_read": 1,
            "chat_message": 1,
            "chat_mention": 1,
            "comment": 2,
        }
    finally:
        await database.close()
