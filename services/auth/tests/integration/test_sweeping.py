"""What is over is deleted after a while; what somebody may still come with is not."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code
from services.auth.tests.operation import operate

from auth.settings import Settings
from auth.sweeping import service
from common.ids import uuid7
from common.settings import load
from common.testing.apps import Serving
from common.testing.waiting import until

type Count = Callable[[str, Person], Awaitable[int]]


@pytest.fixture
def settings(told: dict[str, str]) -> Settings:
    """What the service is told; a few rows are much for these tests."""
    return load(Settings, told | {"SWEEP_ROWS_MAX": "3"})


@pytest.fixture
def sweep(desk: Desk, settings: Settings) -> Callable[[], Awaitable[object]]:
    """Sweep as two replicas do it at once."""

    async def swept() -> object:
        return await asyncio.gather(*[service.sweep(desk.client.db, settings) for _ in range(2)])

    return swept


async def sessions(desk: Desk, who: Person) -> int:
    """How many sessions of somebody are known."""
    return await desk.one(
        "SELECT count(*) AS value FROM session WHERE account_id = :id",
        sa.BigInteger(),
        id=who.id,
    )


async def tokens(desk: Desk, who: Person) -> int:
    """How many refresh tokens of this session are known."""
    return await desk.one(
        "SELECT count(*) AS value FROM refresh_token WHERE session_id = :id",
        sa.BigInteger(),
        id=UUID(who.session_id),
    )


async def used_up(desk: Desk, who: Person, times: int) -> str:
    """Refresh again and again; return the newest token."""
    token = who.refresh_token
    for _ in range(times):
        token = (await desk.refresh(token)).json()["data"]["refreshToken"]
    return token


async def pass_by(desk: Desk, who: Person, seconds: int) -> None:
    """Let somebody's sessions grow older."""
    await desk.run(
        "UPDATE session SET created_at = created_at - make_interval(secs => :by),"
        " expires_at = expires_at - make_interval(secs => :by),"
        " revoked_at = revoked_at - make_interval(secs => :by) WHERE account_id = :id",
        id=who.id,
        by=seconds,
    )


async def test_a_session_that_goes_on_keeps_every_token_so_that_a_theft_is_noticed(
    desk: Desk, settings: Settings, sweep: Callable[[], Awaitable[object]]
) -> None:
    ann = await desk.person()
    newest = await used_up(desk, ann, 5)
    await pass_by(desk, ann, settings.session_lifetime_s - 60)
    await desk.run(
        "UPDATE refresh_token SET created_at = created_at - interval '29 days',"
        " used_at = used_at - interval '29 days' WHERE session_id = :id",
        id=UUID(ann.session_id),
    )
    await sweep()
    assert await tokens(desk, ann) == 6
    assert code(await desk.refresh(ann.refresh_token)) == (401, "REFRESH_TOKEN_REUSED")
    assert code(await desk.refresh(newest)) == (401, "UNAUTHENTICATED")


async def test_a_session_that_ended_is_known_until_its_access_tokens_are_long_over(
    desk: Desk, settings: Settings, sweep: Callable[[], Awaitable[object]]
) -> None:
    ann = await desk.person()
    left = await desk.login(ann)
    newest = await used_up(desk, left, 4)
    await desk.call("POST", "/logout", left)
    await sweep()
    assert [await tokens(desk, one) for one in (ann, left)] == [1, 0]
    assert await sessions(desk, ann) == 2
    for token in (left.refresh_token, newest):
        assert code(await desk.refresh(token)) == (401, "UNAUTHENTICATED")
    await desk.run(
        "UPDATE session SET revoked_at = revoked_at - make_interval(secs => :by) WHERE id = :id",
        id=UUID(left.session_id),
        by=settings.sessions_kept_s - 60,
    )
    await sweep()
    assert await sessions(desk, ann) == 2
    await pass_by(desk, left, 61)
    await sweep()
    assert await sessions(desk, ann) == 1
    assert code(await desk.refresh(newest)) == (401, "UNAUTHENTICATED")
    assert await desk.is_live(ann.refresh_token)


async def test_a_session_that_expired_is_kept_for_some_days(
    desk: Desk, settings: Settings, sweep: Callable[[], Awaitable[object]]
) -> None:
    ann = await desk.person()
    await used_up(desk, ann, 4)
    await pass_by(desk, ann, settings.session_lifetime_s + 60)
    await sweep()
    assert (await tokens(desk, ann), await sessions(desk, ann)) == (0, 1)
    await pass_by(desk, ann, settings.sessions_kept_s)
    await sweep()
    assert await sessions(desk, ann) == 0


async def test_what_nobody_came_back_with_goes(
    desk: Desk, settings: Settings, sweep: Callable[[], Awaitable[object]]
) -> None:
    ann = await desk.person()
    ages = {
        "fresh": -60,
        "lately": settings.over_kept_s - 60,
        "long_ago": settings.over_kept_s + 60,
    }
    for name, age in ages.items():
        given = {"mark": f"{desk.mark}{name}", "age": age}
        await desk.run(
            "INSERT INTO ticket (hash, account_id, session_id, expires_at) VALUES"
            " (convert_to(:mark, 'UTF8'), :id, :session, now() - make_interval(secs => :age))",
            id=ann.id,
            session=UUID(ann.session_id),
            **given,
        )
        await desk.run(
            "INSERT INTO flow (state, provider, browser, sealed, expires_at) VALUES"
            " (convert_to(:mark, 'UTF8'), 'x', '', '', now() - make_interval(secs => :age))",
            **given,
        )
        await desk.run(
            "INSERT INTO mail_token (hash, account_id, purpose, email, expires_at) VALUES"
            " (convert_to(:mark, 'UTF8'), :id, :mark, '', now() - make_interval(secs => :age))",
            id=ann.id,
            **given,
        )
    await sweep()
    for table, key in (("ticket", "hash"), ("flow", "state"), ("mail_token", "hash")):
        left = await desk.one(
            f"SELECT string_agg(encode({key}, 'escape'), ' ') AS value FROM {table}"  # noqa: S608 - our own names
            f" WHERE encode({key}, 'escape') LIKE :mark",
            sa.Text(),
            mark=f"{desk.mark}%",
        )
        assert set(left.split()) == {f"{desk.mark}fresh", f"{desk.mark}lately"}, table


async def test_failed_logins_go_when_they_count_no_more(
    desk: Desk, settings: Settings, sweep: Callable[[], Awaitable[object]]
) -> None:
    window_s = settings.login_failures_window_s
    for address, age in (("now", 0), ("still", window_s - 60), ("over", window_s + 60)):
        await desk.run(
            "INSERT INTO login_failure (login, address, count, last_at) VALUES"
            " (convert_to(:mark, 'UTF8'), :address, 1, now() - make_interval(secs => :age))",
            mark=desk.mark,
            address=address,
            age=age,
        )
    await sweep()
    left = await desk.one(
        "SELECT string_agg(address, ' ' ORDER BY address) AS value FROM login_failure"
        " WHERE login = convert_to(:mark, 'UTF8')",
        sa.Text(),
        mark=desk.mark,
    )
    assert left == "now still"


async def test_a_row_that_somebody_has_in_hand_is_left_for_the_next_turn(
    desk: Desk, settings: Settings
) -> None:
    mark = uuid7().bytes
    add = sa.text(
        "INSERT INTO flow (state, provider, browser, sealed, expires_at)"
        " VALUES (:state, 'x', '', '', now() - interval '1 year')"
    ).bindparams(sa.bindparam("state", mark, sa.LargeBinary))
    held = sa.text("SELECT 1 FROM flow WHERE state = :state FOR UPDATE").bindparams(
        sa.bindparam("state", mark, sa.LargeBinary)
    )
    await desk.client.db.run(add)
    async with desk.client.db.transaction() as tx:
        await tx.run(held)
        assert (await service.sweep(desk.client.db, settings))["flow"] == 0
    assert (await service.sweep(desk.client.db, settings))["flow"] == 1


async def test_the_running_service_sweeps_and_so_does_an_operator(
    desk: Desk, serve: Serving, told: dict[str, str], settings: Settings
) -> None:
    ann = await desk.person()
    await pass_by(desk, ann, settings.session_lifetime_s + settings.sessions_kept_s + 60)
    async with serve(UPKEEP_EVERY_S="0.02", SWEEP_ROWS_MAX="1"):

        async def is_gone() -> bool:
            return await sessions(desk, ann) == 0

        await until(is_gone)
    bob = await desk.person()
    await pass_by(desk, bob, settings.session_lifetime_s + settings.sessions_kept_s + 60)
    done = await operate(told, "sweep")
    assert done.code == 0, done.err
    assert await sessions(desk, bob) == 0
    assert "session: 1\n" in done.out
