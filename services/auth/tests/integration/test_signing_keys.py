"""Signing keys are replaced in order, in haste and by themselves; nobody's token is refused."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import KeySet
from services.auth.tests.desk import Desk, Person, code, part
from services.auth.tests.operation import operate

from auth.keys import repository, service
from auth.keys.types import SigningKey
from auth.secrets import Vault
from auth.settings import Settings
from auth.tables import SigningKeyRow
from common.settings import load
from common.testing.apps import Serving
from common.testing.waiting import until

# nobody remembers keys, so that what is in the table is what is answered
FORGETFUL = {"SIGNING_KEYS_CACHED_S": "0", "JWKS_CACHED_S": "0"}


@pytest.fixture
async def first(desk: Desk) -> AsyncGenerator[SigningKey]:
    """The one key that signs before the test, and after it again."""
    db = desk.client.db
    before = await repository.every(db)
    yield before[0]
    async with db.transaction() as tx:
        await tx.run(sa.delete(SigningKeyRow))
        for key in before:
            await tx.run(sa.insert(SigningKeyRow).values(**_columns(key)))


def _columns(key: SigningKey) -> dict[str, object]:
    return {name: getattr(key, name) for name in key.__struct_fields__}


@pytest.fixture
async def replicas(serve: Serving, first: SigningKey) -> AsyncGenerator[list[Desk]]:
    """Two that have seen the first key, and answer with what is in the table."""
    async with AsyncExitStack() as stack:
        made = [Desk(await stack.enter_async_context(serve(**FORGETFUL))) for _ in range(2)]
        assert [await kids(one) for one in made] == [[first.kid]] * 2
        yield made


async def jwks(desk: Desk) -> KeySet:
    """The keys that everybody may know."""
    return KeySet.import_key_set((await desk.call("GET", "/.well-known/jwks.json")).json())


async def kids(desk: Desk) -> list[str | None]:
    return [key.kid for key in (await jwks(desk)).keys]


def kid(who: Person) -> str:
    """The key that signed somebody's token."""
    found: str = part(who.access_token, 0)["kid"]
    return found


async def pass_by(desk: Desk, seconds: int) -> None:
    """Let the keys grow older."""
    await desk.run(
        "UPDATE signing_key SET created_at = created_at - make_interval(secs => :by),"
        " signs_from = signs_from - make_interval(secs => :by),"
        " published_until = published_until - make_interval(secs => :by)",
        by=seconds,
    )


async def rotated(told: dict[str, str], *arguments: str) -> str:
    """Rotate by command, and return the new key's id."""
    done = await operate(told, "rotate-signing-key", *arguments)
    assert done.code == 0, done.err
    return done.out.split()[0]


async def test_a_new_key_signs_once_everybody_knows_it_and_the_old_one_leaves_after_its_tokens(
    desk: Desk, replicas: list[Desk], first: SigningKey, told: dict[str, str]
) -> None:
    settings = load(Settings, told)
    ann = await desk.person()
    second = await rotated(told)
    assert await desk.deeds("kid", second) == ["signing_key.rotated"]
    for one in replicas:
        assert await kids(one) == [second, first.kid]
        assert kid(await one.login(ann)) == first.kid
    await pass_by(desk, settings.signing_key_overlap_s - 10)
    old = [await one.login(ann) for one in replicas]
    assert {kid(one) for one in old} == {first.kid}
    await pass_by(desk, 11)
    for one in replicas:
        new = await one.login(ann)
        assert kid(new) == second
        known = await jwks(one)
        for held in (*old, new):
            assert jwt.decode(held.access_token, known).claims["sub"] == str(ann.id)
    await pass_by(desk, settings.access_lifetime_s)
    assert [await kids(one) for one in replicas] == [[second, first.kid]] * 2
    await pass_by(desk, settings.clocks_differ_s)
    assert [await kids(one) for one in replicas] == [[second]] * 2
    listed = await operate(told, "signing-keys")
    assert [line.split()[:2] for line in listed.out.splitlines()] == [
        [second, "signing"],
        [first.kid, "gone"],
    ]


async def test_in_haste_no_other_key_is_trusted(
    desk: Desk, replicas: list[Desk], told: dict[str, str]
) -> None:
    ann = await desk.person()
    coming = await rotated(told)
    done = await operate(told, "rotate-signing-key", "--now")
    hasty = done.out.split()[0]
    assert hasty != coming
    assert await desk.deeds("kid", hasty) == ["signing_key.replaced"]
    assert "Restart auth, then the gateway and collab" in done.out
    for one in replicas:
        assert await kids(one) == [hasty]
        assert kid(await one.login(ann)) == hasty
    assert (await replicas[0].refresh(ann.refresh_token)).status_code == 200


async def test_rotations_at_once_follow_each_other(
    desk: Desk, replicas: list[Desk], told: dict[str, str]
) -> None:
    made = await asyncio.gather(*[rotated(told) for _ in range(3)])
    keys = await repository.every(desk.client.db)
    assert {key.kid for key in keys[:3]} == set(made)
    assert [key.published_until is None for key in keys] == [True, False, False, False]
    await pass_by(desk, load(Settings, told).signing_key_overlap_s)
    ann = await desk.person()
    assert {kid(await one.login(ann)) for one in replicas} == {keys[0].kid}


async def test_a_key_that_signed_for_its_lifetime_is_replaced_once_by_many_replicas(
    desk: Desk, replicas: list[Desk], first: SigningKey, told: dict[str, str]
) -> None:
    settings = load(Settings, told)
    vault, db = Vault(settings.key_encryption_key), desk.client.db

    async def tend() -> list[str]:
        await asyncio.gather(*[service.tend(db, vault, settings) for _ in range(4)])
        return [key.kid for key in await repository.every(db)]

    assert await tend() == [first.kid]
    signed_for = (datetime.now(UTC) - first.signs_from).total_seconds()
    young_s = settings.signing_key_lifetime_s - settings.signing_key_overlap_s - 60
    await pass_by(desk, young_s - int(signed_for))
    assert await tend() == [first.kid]
    await pass_by(desk, 60)
    [second, *others] = await tend()
    assert others == [first.kid]
    assert [await kids(one) for one in replicas] == [[second, first.kid]] * 2
    assert await tend() == [second, first.kid]
    await pass_by(desk, settings.signing_key_overlap_s + 3_600)
    assert await tend() == [second]


async def test_the_running_service_sees_to_its_keys(
    desk: Desk, serve: Serving, first: SigningKey
) -> None:
    await pass_by(desk, 100 * 86_400)
    async with serve(**FORGETFUL, UPKEEP_EVERY_S="0.02") as client:
        one = Desk(client)

        async def is_replaced() -> bool:
            return len(await kids(one)) > 1

        await until(is_replaced)
        assert (await kids(one))[1:] == [first.kid]
        await pass_by(desk, 86_400)

        async def is_alone() -> bool:
            return len(await repository.every(client.db)) == 1

        await until(is_alone)
        assert first.kid not in await kids(one)


async def test_a_lifetime_of_nothing_lets_a_key_sign_for_ever(
    desk: Desk, first: SigningKey, told: dict[str, str]
) -> None:
    settings = load(Settings, told | {"SIGNING_KEY_LIFETIME_S": "0"})
    await pass_by(desk, 10_000 * 86_400)
    await service.tend(desk.client.db, Vault(settings.key_encryption_key), settings)
    assert [key.kid for key in await repository.every(desk.client.db)] == [first.kid]


async def test_a_key_that_cannot_be_opened_does_not_stop_the_one_that_signs(
    desk: Desk, replicas: list[Desk], first: SigningKey, told: dict[str, str]
) -> None:
    ann = await desk.person()
    settings = load(Settings, told)
    strange = Vault(base64.b64encode(b"a key that others do not have...").decode())
    made = await service.rotate(desk.client.db, strange, settings)
    assert made is not None
    for one in replicas:
        assert await kids(one) == [made.kid, first.kid]
        assert kid(await one.login(ann)) == first.kid
    await pass_by(desk, settings.signing_key_overlap_s)
    sends = {"login": ann.email, "password": ann.password}
    answer = await replicas[0].call("POST", "/login", sends=sends)
    assert code(answer) == (503, "UNAVAILABLE")
