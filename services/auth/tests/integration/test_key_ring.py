"""The service's key is replaced while people stay logged in."""

import asyncio
import base64
import os
from collections.abc import AsyncGenerator

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, code, cookies

from common.testing.apps import Client, Serving


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
async def replaced(serve: Serving, told: dict[str, str]) -> AsyncGenerator[Client]:
    """The service with a new key, and the one before it still on the ring."""
    before = told["KEY_ENCRYPTION_KEY"]
    async with serve(KEY_ENCRYPTION_KEY=new_key(), KEY_ENCRYPTION_KEYS_OTHER=before) as client:
        yield client


async def refreshed(desk: Desk, client: Client, token: str) -> str:
    """The token that one replica gives for another."""
    desk.client = client
    answer = await desk.refresh(token)
    assert answer.status_code == 200, answer.text
    given: str = answer.json()["data"]["refreshToken"]
    return given


async def test_who_lost_the_reply_gets_what_the_key_before_made(
    desk: Desk, replaced: Client
) -> None:
    before = desk.client
    ann = await desk.person()
    lost = await refreshed(desk, before, ann.refresh_token)
    assert await refreshed(desk, replaced, ann.refresh_token) == lost
    following = await refreshed(desk, replaced, lost)
    assert await refreshed(desk, replaced, lost) == following
    assert code(await desk.refresh(ann.refresh_token)) == (401, "REFRESH_TOKEN_REUSED")


async def test_tabs_at_two_replicas_with_two_keys_get_one_successor(
    desk: Desk, replaced: Client, serve: Serving
) -> None:
    # the key to come is on the ring of those that do not seal with it yet
    coming: str = replaced.app.state.settings.key_encryption_key
    async with serve(KEY_ENCRYPTION_KEYS_OTHER=coming) as waiting:
        for _ in range(5):
            ann = await desk.person()
            tabs = [Desk(client) for client in (waiting, replaced) * 5]
            answers = await asyncio.gather(*[tab.refresh(ann.refresh_token) for tab in tabs])
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.json()["data"]["refreshToken"] for answer in answers}) == 1
            kept = await desk.one(
                "SELECT count(*) AS value FROM refresh_token WHERE CAST(session_id AS text) = :id",
                sa.BigInteger(),
                id=ann.session_id,
            )
            assert kept == 2


async def test_a_page_from_before_may_still_refresh(desk: Desk, replaced: Client) -> None:
    ann = await desk.person()
    answer = await desk.call("POST", "/login", sends={"login": ann.email, "password": ann.password})
    jar = cookies(answer)
    line = "; ".join(f"{name}={jar[name].value}" for name in ("wl_refresh", "wl_csrf"))
    desk.client = replaced
    before = jar["wl_csrf"].value
    answer = await desk.call("POST", "/refresh", cookie=line, x_csrf_token=before)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["csrfToken"] != before


async def test_what_no_key_of_the_ring_made_is_refused(desk: Desk) -> None:
    ann = await desk.person()
    await refreshed(desk, desk.client, ann.refresh_token)
    await desk.run(
        "UPDATE refresh_token SET hash = hash || 'x' WHERE parent IS NOT NULL AND "
        "CAST(session_id AS text) = :id",
        id=ann.session_id,
    )
    assert code(await desk.refresh(ann.refresh_token)) == (401, "UNAUTHENTICATED")
