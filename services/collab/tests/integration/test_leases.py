"""A project is one process's at a time, and another's when that one dies, stops or goes."""

import asyncio
import signal
from contextlib import asynccontextmanager

import pytest

from common.testing.processes import free_port


@pytest.fixture
async def pair(process, service_env, desk):
    """A second process, which learns soon that the first one is dead."""
    async with _node(process, service_env, desk) as one, _node(process, service_env, desk) as two:
        yield one, two


@asynccontextmanager
async def _node(process, service_env, desk):
    own = {
        "PORT": str(free_port()),
        "SOCKET_PORT": str(free_port()),
        "AUTH_URL": desk.auth.url,
        "PROJECTS_URL": desk.projects.url,
        "DRAIN_SECONDS": "0.2",
        "DRAIN_SPREAD_S": "0.1",
        "NODE_BEAT_S": "0.3",
        "NODE_TTL_S": "1.5",
        "ORPHAN_SWEEP_S": "0.5",
        "LEASE_IDLE_S": "0.5",
    }
    made = process(("collab.main",), service_env("collab") | own)
    await made.start()
    try:
        yield made
    finally:
        await made.end(signal.SIGKILL)


async def opened(desk, project, path, user, node):
    """Open a document at a process; it is in sync."""
    where = f"/documents/{project}/{path}?access_token={desk.auth.token(user)}"
    client = desk.yjs(await desk.connect(where, node=node))
    await client.sync()
    return client


async def test_who_is_at_the_other_process_types_in_the_same_document(desk, pair):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    one, two = [await opened(desk, project, "a.txt", desk.editor, node) for node in pair]
    for number in range(20):
        await one.type(0, f"<a{number}>")
        await two.type(0, f"<b{number}>")
    await asyncio.gather(one.sync(), two.sync())
    words = {f"<{name}{number}>" for name in "ab" for number in range(20)}
    await one.until(lambda: all(str(one.text).count(word) == 1 for word in words))
    await two.until_text(str(one.text))


async def test_a_viewer_at_the_other_process_may_not_type_either(desk, pair):
    project = await desk.project()
    await desk.write(project, "a.txt", "calm")
    owner = await opened(desk, project, "a.txt", desk.owner, pair[0])
    viewer = await opened(desk, project, "a.txt", desk.viewer, pair[1])
    await viewer.type(0, "storm")
    await viewer.until(lambda: viewer.denied)
    await owner.sync()
    assert str(owner.text) == "calm"
    await desk.rest("DELETE", f"/projects/{project}/collaborators/{desk.viewer}")
    assert await viewer.closed() == 4403


async def test_a_room_is_one_at_all_processes(desk, pair):
    project = await desk.project()
    guests = []
    for node, user in zip(pair, (desk.owner, desk.editor), strict=True):
        where = f"/projects/{project}?access_token={desk.auth.token(user)}"
        guests.append(desk.guest(await desk.connect(where, node=node)))
        assert (await guests[-1].say(type="join-project"))["ok"]
    joined = await guests[0].frame(type="user-joined")
    assert joined["user"]["userId"] == str(desk.editor)
    await guests[1].say(type="cursor", path="a.txt", selection={"anchor": 1})
    told = await guests[0].frame(type="cursors")
    assert told["cursors"][0]["userId"] == str(desk.editor)
    for node in pair:
        where = f"{node.url}/api/v1/projects/{project}/presence"
        seen = await desk.http.get(where, headers=desk.headers(desk.viewer))
        users = {user["userId"] for user in seen.json()["data"]["users"]}
        assert users == {str(desk.owner), str(desk.editor)}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_other_process_takes_over(desk, pair, how):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    here = await opened(desk, project, "a.txt", desk.owner, pair[0])
    there = await opened(desk, project, "a.txt", desk.editor, pair[1])
    await here.type(3, " two")
    await there.type(0, "zero ")
    await asyncio.gather(here.sync(), there.sync())
    await pair[0].end(how)
    assert await there.closed() == 1012
    await pair_is_free(desk, project, pair[1])
    again = await opened(desk, project, "a.txt", desk.editor, pair[1])
    assert str(again.text) == "zero one two"
    await again.type(0, "now ")
    await again.sync()
    await pair[0].start()


async def pair_is_free(desk, project, node):
    """Knock until the process serves the project itself."""
    async with asyncio.timeout(10):
        while True:
            where = f"/documents/{project}/a.txt?access_token={desk.auth.token(desk.editor)}"
            client = desk.yjs(await desk.connect(where, node=node))
            try:
                await client.sync(within_s=1)
            except TimeoutError:
                continue
            await client.socket.close()
            return


async def test_a_process_that_stopped_for_long_writes_nothing_when_it_goes_on(desk, pair):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    paused = await opened(desk, project, "a.txt", desk.owner, pair[0])
    await paused.type(3, " before")
    await paused.sync()
    pair[0].tell(signal.SIGSTOP)
    try:
        await pair_is_free(desk, project, pair[1])
        other = await opened(desk, project, "a.txt", desk.editor, pair[1])
        assert str(other.text) == "one before"
        await other.type(0, "meanwhile ")
        await other.sync()
        await paused.type(0, "late ")
    finally:
        pair[0].tell(signal.SIGCONT)
    assert await paused.closed() == 1012
    await other.sync()
    assert str(other.text) == "meanwhile one before"
    # what was not acknowledged comes with who typed it
    where = f"/documents/{project}/a.txt?access_token={desk.auth.token(desk.owner)}"
    again = desk.yjs(await desk.connect(where, node=pair[0]))
    again.doc.apply_update(paused.doc.get_update())
    await again.sync()
    await other.until(lambda: "late" in str(other.text))
    assert sorted(str(other.text).split()) == ["before", "late", "meanwhile", "one"]


async def test_a_word_of_another_process_cannot_be_made_up(desk):
    project = await desk.project()
    secret = {"x-fleet-secret": desk.collab.env["FLEET_SECRET"]}
    for word in ("", "e30=.00", "nonsense"):
        with pytest.raises(Exception, match="401"):
            await desk.connect(f"/projects/{project}", headers={**secret, "x-node-identity": word})
