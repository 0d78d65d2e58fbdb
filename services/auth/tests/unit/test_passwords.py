"""Passwords: what they cost, and that no more are hashed at once than there is room for."""

import asyncio
import os
import sys
import threading

import bcrypt
import pytest

from auth.passwords import Passwords, is_importable
from auth.settings import Settings
from common.errors import UnavailableError

PASSWORDS = ["a" * 1024, "\u20ac" * 40, "a\u0000b", " ", "\U0001f4a5"]


def passwords(**other: float) -> Passwords:
    """Passwords with some settings changed."""
    told = {"password_memory_kib": 64, "password_passes": 1, "password_workers": 1} | other
    return Passwords(_settings(**told))


def _settings(**told: float) -> Settings:
    known = {"database_url": "", "fleet_secret": "", "nats_url": "", "key_encryption_key": ""}
    return Settings(**known, **told)  # type: ignore[arg-type]  # each has its own type


def hashed(password: bytes, prefix: bytes = b"2b") -> str:
    """A hash as another system keeps it; four rounds, because nobody is kept out by this one."""
    return (
        bcrypt.hashpw(password, bcrypt.gensalt(4)).replace(b"$2b$", b"$" + prefix + b"$").decode()
    )


async def test_by_default_a_hash_is_as_dear_as_it_should_be() -> None:
    async with Passwords(_settings()).place() as place:
        kept = await place.hash("correct horse")
        assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
        assert await place.verify(kept, "correct horse")
        assert not await place.verify(kept, "correct horsf")
        assert not place.is_outdated(kept)


@pytest.mark.parametrize("password", PASSWORDS)
async def test_every_character_counts(password: str) -> None:
    async with passwords().place() as place:
        kept = await place.hash(password)
        assert await place.verify(kept, password)
        assert not await place.verify(kept, password + "x")
        assert not await place.verify(kept, password[:-1])


WORTHLESS = [
    None,
    "",
    "x",
    "$argon2id$v=19$m=64,t=1,p=1$x$y",
    "$2b$04$" + "z" * 53,
    "$2b$99$" + "." * 53,
    "$2b$04$short",
]


@pytest.mark.parametrize("kept", WORTHLESS)
async def test_without_a_hash_no_password_is_right(kept: str | None) -> None:
    async with passwords().place() as place:
        # the one password that what stands for nobody would fit
        place._nobody = await place.hash("correct horse")  # noqa: SLF001 - it is random otherwise
        assert not await place.verify(kept, "correct horse")


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
@pytest.mark.parametrize("password", ["correct horse", "\u20ac" * 20, "\U0001f4a5"])
async def test_a_bcrypt_hash_is_verified_and_outdated(prefix: bytes, password: str) -> None:
    kept = hashed(password.encode(), prefix)
    async with passwords().place() as place:
        assert await place.verify(kept, password)
        assert not await place.verify(kept, password + "x")
        assert not await place.verify(kept, password[:-1])
        assert place.is_outdated(kept)


async def test_bcrypt_has_seen_no_more_than_72_bytes() -> None:
    long = "x" * 80
    kept = hashed(long.encode()[:72])
    async with passwords().place() as place:
        assert await place.verify(kept, long)
        assert await place.verify(kept, "x" * 72)
        assert not await place.verify(kept, "x" * 71)


async def test_a_hash_with_other_costs_is_outdated() -> None:
    async with passwords(password_passes=2).place() as place:
        kept = await place.hash("correct horse")
    async with passwords().place() as place:
        assert await place.verify(kept, "correct horse")
        assert place.is_outdated(kept)


def test_a_hash_from_elsewhere_can_be_verified_at_a_bearable_cost() -> None:
    settings = _settings()
    bearable = ["$argon2id$v=19$m=65536,t=3,p=4$", "$argon2i$v=19$m=102400,t=2,p=8$"]
    unbearable = ["$argon2id$v=19$m=2097152,t=1,p=1$", "$argon2id$v=19$m=65536,t=100,p=1$"]
    salt_and_hash = "c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
    assert all(is_importable(one + salt_and_hash, settings) for one in bearable)
    assert not any(is_importable(one + salt_and_hash, settings) for one in unbearable)
    assert is_importable(hashed(b"correct horse", b"2y"), settings)
    for kept in ("", "x", "$1$abc$def", "$2b$15$" + "." * 53, "$2b$03$" + "." * 53, "{SHA}x"):
        assert not is_importable(kept, settings)


async def test_who_finds_no_room_in_time_is_told_so() -> None:
    made = passwords(password_wait_s=0)
    gate = asyncio.Event()

    async def holding() -> None:
        async with made.place():
            await gate.wait()

    busy = asyncio.create_task(holding())
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError) as refused:
        await made.hash("correct horse")
    assert refused.value.headers["retry-after"] == "2"
    gate.set()
    await busy
    assert await made.hash("correct horse")


async def test_who_would_wait_too_long_does_not_wait_at_all() -> None:
    made = passwords(password_wait_s=3600)
    # each takes an hour, as far as is known
    made._usual_s = 3600.0  # noqa: SLF001 - nobody waits for hours to find that out
    gate = asyncio.Event()

    async def holding() -> None:
        async with made.place():
            await gate.wait()

    first, second = asyncio.create_task(holding()), asyncio.create_task(holding())
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await made.hash("correct horse")
    gate.set()
    await first
    await second


async def test_whoever_hashes_gives_way_to_the_rest() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    mine = priority()
    async with passwords(password_niceness=7).place() as place:
        found = await place._beside(priority)  # noqa: SLF001 - nothing else runs in the pool
    # elsewhere a thread has no priority of its own
    assert found == (7 if sys.platform == "linux" else mine)
    assert priority() == mine
