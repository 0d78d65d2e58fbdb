"""A request that is repeated with the same key has its effect once and is answered the same."""

import asyncio
import signal

import httpx
import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.ids import uuid7
from common.testing.processes import process

PROJECTS = "/api/v1/projects"


async def create(desk: Desk, key: str, name: str = "Game", **more: str) -> httpx.Response:
    """Create a project with a key."""
    return await desk.call("POST", PROJECTS, sends={"name": name}, idempotency_key=key, **more)


async def names(desk: Desk) -> list[str]:
    """The names of the caller's projects."""
    listed = (await desk.call("GET", f"{PROJECTS}?limit=100&sort=name")).json()["data"]
    return [one["name"] for one in listed]


async def test_a_repeated_request_is_answered_the_same(desk: Desk) -> None:
    key = str(uuid7())
    first, second = await create(desk, key), await create(desk, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await names(desk) == ["Game"]


async def test_another_request_with_the_key_is_refused(desk: Desk) -> None:
    key = str(uuid7())
    await create(desk, key)
    answer = await create(desk, key, "Other")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    elsewhere = await desk.call(
        "POST", f"{PROJECTS}?x=1", sends={"name": "Game"}, idempotency_key=key
    )
    assert elsewhere.status_code == 409
    assert await names(desk) == ["Game"]


async def test_of_many_at_once_one_acts(desk: Desk) -> None:
    key = str(uuid7())
    answers = await asyncio.gather(*[create(desk, key) for _ in range(20)])
    for answer in answers:
        if answer.status_code != 201:
            assert answer.json()["error"]["code"] == "IDEMPOTENCY_KEY_IN_USE"
            assert answer.headers["retry-after"] == "1"
    made = {answer.content for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert await names(desk) == ["Game"]


async def test_a_key_is_its_caller_s(desk: Desk) -> None:
    key = str(uuid7())
    mine = await create(desk, key)
    theirs = await desk.call("POST", PROJECTS, uuid7(), sends={"name": "Game"}, idempotency_key=key)
    assert theirs.status_code == 201
    assert theirs.json()["data"]["id"] != mine.json()["data"]["id"]


async def test_a_failure_is_not_kept(desk: Desk) -> None:
    key = str(uuid7())
    wrong = await desk.call("POST", PROJECTS, sends={"name": ""}, idempotency_key=key)
    assert wrong.status_code == 400
    assert (await create(desk, key)).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "a\x7f"])
async def test_a_key_is_visible_and_short(desk: Desk, key: str) -> None:
    answer = await create(desk, key)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["field"] == "Idempotency-Key"


async def test_whatever_a_request_asks_commits_with_its_answer(desk: Desk) -> None:
    key = str(uuid7())
    made = (await create(desk, key)).json()["data"]
    project = f"{PROJECTS}/{made['id']}"
    operations = [{"op": "create", "path": f"f{n}", "content": "x"} for n in range(3)]
    batch = {"operations": operations}
    sent = [
        await desk.call("POST", f"{project}/files/batch", sends=batch, idempotency_key=f"{key}-b")
        for _ in range(2)
    ]
    assert [answer.status_code for answer in sent] == [200, 200]
    assert sent[0].content == sent[1].content
    listed = (await desk.call("GET", f"{project}/files")).json()["data"]
    assert sorted(file["path"] for file in listed) == ["f0", "f1", "f2"]


async def test_a_crash_leaves_the_effect_and_the_answer_or_neither(
    desk: Desk, told: dict[str, str]
) -> None:
    keys = [str(uuid7()) for _ in range(40)]

    async def send(key: str) -> int:
        try:
            answer = await service.call(
                "POST", PROJECTS, desk.owner, sends={"name": key}, idempotency_key=key
            )
        except httpx.HTTPError:
            return 0
        return answer.status_code

    async with process("projects.main:create_app", told) as service:
        for cut in range(4):
            sending = [asyncio.create_task(send(key)) for key in keys]
            await asyncio.sleep(0.01 * cut)
            await service.end(signal.SIGKILL)
            await asyncio.gather(*sending)
            await service.start()
        pending = set(keys)
        for _ in range(20):
            done = {key for key in pending if await send(key) == 201}
            pending -= done
            if not pending:
                break
    assert pending == set()
    assert await names(desk) == sorted(keys)


async def test_what_fails_at_its_commit_is_answered_as_any_failure(desk: Desk) -> None:
    name = f"x{uuid7().hex}"
    refuse = f"IF NEW.name = '{name}' THEN RAISE EXCEPTION 'no' USING ERRCODE = '57P01'; END IF"
    body = f"$$ BEGIN {refuse}; RETURN NULL; END $$"
    await desk.client.db.run(
        sa.text(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {body}")
    )
    when = "AFTER INSERT ON project DEFERRABLE INITIALLY DEFERRED"
    await desk.client.db.run(
        sa.text(f"CREATE CONSTRAINT TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {name}()")
    )
    try:
        answer = await create(desk, str(uuid7()), name)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert name not in await names(desk)
    finally:
        await desk.client.db.run(sa.text(f"DROP FUNCTION {name}() CASCADE"))
