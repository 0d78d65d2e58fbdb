"""Whoever may not build in a project any more has nothing under way there."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec
import pytest

from builds.runs.creation import create
from builds.types import Manifest, Options
from common.access import Access, learn
from common.bus import Bus
from common.contracts.base import CloudEvent
from common.contracts.builds import BuildCancelled, BuildQueued
from common.contracts.projects import AccessChanged
from common.database import Database
from common.ids import uuid7

_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}
# newer than anything that projects says of a project in these tests
_VERSION = 1000

# what others announced before, in the whole of a run, is heard first
_PATIENCE_S = 300.0
_WAITING = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND query LIKE '%INSERT INTO build %')"
)

type Hear = Callable[..., Awaitable[None]]


@pytest.fixture
async def hear(service_env: Callable[[str], dict[str, str]]) -> AsyncGenerator[Hear]:
    """Let the service hear who may do what, as the projects service says it."""
    env = service_env("projects")
    bus = Bus("projects", env["NATS_URL"], "projects", env["NATS_PASSWORD"])
    await bus.connect()

    async def say(
        project: str, version: int, roles: dict[UUID, str], *, is_deleted: bool = False
    ) -> None:
        fact = AccessChanged(
            project_id=UUID(project),
            version=_VERSION + version,
            is_public=False,
            is_deleted=is_deleted,
            roles={str(user): role for user, role in roles.items()},
        )
        event = CloudEvent(
            id=uuid7(),
            source="/projects",
            type=fact.subject,
            subject=project,
            time=datetime(2026, 1, 1, tzinfo=UTC),
            data=fact,
        )
        assert bus.stream is not None
        await bus.stream.publish(fact.subject, msgspec.json.encode(event))

    yield say
    await bus.close()


async def _until(look: Callable[[], Awaitable[bool]]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not await look():
        assert time.monotonic() < until, "It did not happen."
        await asyncio.sleep(0.05)


async def _told(desk, build) -> list[Any]:
    pool = desk.db._pool  # noqa: SLF001 - the outbox has no other reader
    rows = await pool.fetch(
        "SELECT data::text FROM outbox WHERE key = $1 AND subject = $2 ORDER BY position",
        build["id"],
        BuildCancelled.subject,
    )
    return [msgspec.json.decode(row["data"], type=BuildCancelled) for row in rows]


async def _states(desk, builds) -> list[str]:
    paths = [f"/api/v1/builds/{build['id']}" for build in builds]
    return [(await desk.call("GET", path)).json()["data"]["status"] for path in paths]


async def test_what_a_removed_member_has_running_and_queued_is_ended(
    desk, hear, slow, sandboxes
) -> None:
    def gone(build: dict[str, Any]) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return not sandboxes(build)

        return look

    project = await desk.project(slow(250))
    everybody = {desk.owner: "owner", desk.editor: "editor"}
    await desk.access(project)
    running = await desk.start(project, desk.editor)
    await desk.until(running, "building", "check")
    # the worker has two pairs of hands, and both are busy now
    others = await desk.start(project, desk.owner)
    await desk.until(others, "building", "check")
    queued = await desk.start(project, desk.editor)
    assert await _states(desk, [running, others, queued]) == ["building", "building", "queued"]

    await hear(project, 1, {desk.owner: "owner"})
    ended = [await desk.ended(build) for build in (running, queued)]
    assert [(b["status"], b["errorCode"]) for b in ended] == [("cancelled", "ACCESS_LOST")] * 2
    assert ended[0]["errorMessage"].endswith("any more.")
    await _until(gone(running))
    for build in (running, queued):
        (told,) = await _told(desk, build)
        assert (told.reason, told.actor_id, told.user_id) == (
            "access_lost",
            UUID(int=0),
            desk.editor,
        )
    assert await _states(desk, [others]) == ["building"]

    await hear(project, 2, everybody, is_deleted=True)
    await _until(gone(others))
    assert [told.reason for told in await _told(desk, others)] == ["access_lost"]


@pytest.mark.parametrize(
    ("role", "is_ended"), [("viewer", True), ("commenter", True), ("owner", False)]
)
async def test_a_role_decides_whether_a_build_goes_on(desk, hear, company, role, is_ended) -> None:
    project = await desk.project(_GAME)
    await desk.access(project)
    company.stop("worker")
    try:
        theirs = await desk.start(project, desk.editor)
        # of another kind, or it would take the place of theirs
        owners = await desk.start(project, desk.owner, options={"minify": False})
        await hear(project, 1, {desk.owner: "viewer", desk.editor: role})
        assert (await desk.ended(owners))["errorCode"] == "ACCESS_LOST"
        assert await _states(desk, [theirs]) == ["cancelled" if is_ended else "queued"]
    finally:
        company.start("worker")


async def test_who_ends_a_build_is_named_and_no_reason_is_needed(desk, company) -> None:
    project = await desk.project(_GAME)
    company.stop("worker")
    try:
        build = await desk.start(project)
        path = f"/api/v1/builds/{build['id']}"
        answer = await desk.call("POST", f"{path}/cancel")
        assert answer.json()["data"]["errorCode"] is None
    finally:
        company.start("worker")
    (told,) = await _told(desk, build)
    assert (told.reason, told.actor_id) == ("requested", desk.owner)


async def test_a_right_that_is_lost_at_the_same_moment_starts_no_build(desk, company) -> None:
    project = UUID(await desk.project(_GAME))
    await desk.access(str(project))
    event = BuildQueued(
        build_id=uuid7(), project_id=project, user_id=desk.editor, target="web", source_tree="x"
    )
    other = await Database.connect(
        company.builds_env["DATABASE_URL"], pool_size=2, wait_s=5.0, statement_s_max=_PATIENCE_S
    )
    access = Access(
        resource_id=project,
        version=_VERSION + 1,
        is_public=False,
        is_deleted=False,
        roles={str(desk.owner): "owner"},
    )

    async with desk.db.transaction() as tx:
        await learn(tx, access)
        wanted = asyncio.create_task(
            create(other, event, Options(), Manifest(0, [], []), at=None, key=None)
        )

        async def waits() -> bool:
            return bool(await other._pool.fetchval(_WAITING))  # noqa: SLF001 - no statement of ours

        await _until(waits)
    assert await wanted is None
    await other.close()


async def test_an_artifacts_address_dies_with_the_membership(desk) -> None:
    project = await desk.project(_GAME)
    build = await desk.ended(await desk.start(project))
    await desk.access(project)
    path = f"/api/v1/builds/{build['id']}/artifacts/web.zip"
    location = (await desk.call("GET", path, desk.viewer)).headers["location"]
    signed = urlsplit(location)
    internal = f"/internal/objects{signed.path}?{signed.query}"
    nobodys = internal.replace(str(desk.viewer), str(UUID(int=0)))
    assert nobodys != internal
    store = desk.company.builds_env["S3_ENDPOINT_URL"]
    host = {"host": signed.netloc}

    async def answers() -> list[int]:
        return [(await desk.call("GET", address)).status_code for address in (internal, nobodys)]

    assert await answers() == [200, 403]
    taken = await desk.client.get(f"{store}{signed.path}?{signed.query}", headers=host)
    assert taken.status_code == httpx.codes.OK
    forged = signed.query.replace(str(desk.viewer), str(desk.owner))
    refused = await desk.client.get(f"{store}{signed.path}?{forged}", headers=host)
    assert refused.status_code == httpx.codes.FORBIDDEN
    assert (await desk.call("PUT", internal)).status_code == httpx.codes.FORBIDDEN
    await desk.access(project, version=_VERSION + 1, is_public=True)
    assert await answers() == [200, 200]
    gone = Access(
        resource_id=UUID(project),
        version=_VERSION + 2,
        is_public=False,
        is_deleted=False,
        roles={str(desk.owner): "owner"},
    )
    await learn(desk.db, gone)
    assert await answers() == [403, 403]
