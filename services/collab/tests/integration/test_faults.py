"""What happens while a store is away, and afterwards."""

import asyncio
import os
import signal
import subprocess
from contextlib import asynccontextmanager, contextmanager

import pytest

from common.ids import uuid7
from fleet import services as plan
from fleet.testing import running


@pytest.fixture(scope="module")
def stores():
    """Stores of our own: what others run on stays up."""
    with running(("stores",)) as started:
        yield started


@pytest.fixture(scope="module")
async def seat(stores, desk_on):
    """A seat at the services on these stores."""

    def env(name):
        migration = plan.migration(stores.context, name)
        subprocess.run(migration.command, env=migration.environment, check=True)  # noqa: S603 - the fleet's own command
        return stores.env(name)

    async with desk_on(env, stores, EVENTS_SILENT_S_MAX="1", SILENT_ASK_S="0.5") as made:
        yield made


@contextmanager
def standing_still(stores, name):
    """A store that answers nothing, and whose connections stay."""
    pid = stores.state().processes[name].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_who_comes_and_goes_all_the_time_holds_up_no_stop(desk):
    project = await desk.project()
    guest = await desk.room(project, desk.viewer, joins=False)
    with standing_still(desk.stores, "nats"):
        for _ in range(50):
            await guest.socket.send('{"type": "join-project", "lastSeq": -1}')
            assert (await guest.say(type="leave-project"))["ok"]
        async with asyncio.timeout(20):
            await desk.collab.end()
    await desk.collab.start()


async def test_documents_go_on_without_the_bus_and_news_arrive_later(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    guest = await desk.room(project, desk.viewer)
    one = await desk.open(project, "a.txt", desk.owner)
    two = await desk.open(project, "a.txt", desk.editor)
    await asyncio.to_thread(desk.stores.stop, "nats")
    try:
        await one.type(3, " two")
        await one.sync()
        await two.until_text("one two")
        await desk.write(project, "b.txt", "late")
    finally:
        await asyncio.to_thread(desk.stores.start, "nats")
    await guest.frame(within_s=20, type="file-created", path="b.txt")


@asynccontextmanager
async def without(stores, name):
    """A store that is away."""
    await asyncio.to_thread(stores.stop, name)
    try:
        yield
    finally:
        await asyncio.to_thread(stores.start, name)


async def test_who_is_removed_while_the_bus_is_away_is_out(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    room = await desk.room(project, desk.editor)
    document = await desk.open(project, "a.txt", desk.editor)
    stays = await desk.room(project, desk.owner)
    async with without(desk.stores, "nats"):
        path = f"/projects/{project}/collaborators/{desk.editor}"
        await desk.rest("DELETE", path)
        assert await room.closed() == 4403
        assert await document.closed() == 4403
        await desk.rest("PATCH", f"/projects/{project}", json={"isPublic": True})
        again = await desk.room(project, desk.editor)
        assert next(frame for frame in again.seen if "role" in frame)["role"] == "viewer"
        await desk.rest("DELETE", f"/projects/{project}")
        assert await stays.closed() == 4404


async def test_whose_session_ends_while_the_bus_is_away_is_out(desk):
    project = await desk.project()
    sessions = [str(uuid7()), str(uuid7())]
    tokens = [desk.auth.token(desk.viewer, sid=session) for session in sessions]
    guests = []
    for token in tokens:
        guests.append(desk.guest(await desk.connect(f"/projects/{project}?access_token={token}")))
        await guests[-1].frame(type="welcome")
    async with without(desk.stores, "nats"):
        desk.auth.over.add(sessions[0])
        assert await guests[0].closed() == 4401
        assert (await guests[1].say(type="ping"))["ok"]


async def test_what_is_typed_while_the_database_is_away_becomes_durable_later(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one")
    one = await desk.open(project, "a.txt", desk.owner)
    two = await desk.open(project, "a.txt", desk.editor)
    await asyncio.to_thread(desk.stores.stop, "postgres")
    try:
        await one.type(3, " two")
        await two.until_text("one two")
        asking = asyncio.create_task(one.sync(within_s=30))
        await asyncio.sleep(1)
        assert not asking.done()
        refused = await desk.connect(
            f"/documents/{project}/b.txt?access_token={desk.auth.token(desk.owner)}"
        )
        await refused.wait_closed()
        assert refused.close_code == 1013
    finally:
        await asyncio.to_thread(desk.stores.start, "postgres")
    await asking
    late = await desk.open(project, "a.txt", desk.owner)
    assert str(late.text) == "one two"
