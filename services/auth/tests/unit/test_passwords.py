"""Passwords: what they cost, and that no more are hashed at once than there is room for."""

import asyncio
import threading

import pytest

from auth.passwords import Passwords
from auth.settings import Settings
from common.errors import UnavailableError


def passwords(**other: float) -> Passwords:
    """Passwords with some settings changed."""
    told = {"password_memory_kib": 64, "password_passes": 1, "password_workers": 1} | other
    return Passwords(_settings(**told))


def _settings(**told: float) -> Settings:
    known = {"database_url": "", "fleet_secret": "", "nats_url": "", "key_encryption_key": ""}
    return Settings(**known, **told)  # type: ignore[arg-type]  # each has its own type


async def test_by_default_a_hash_is_as_dear_as_it_should_be() -> None:
    made = Passwords(_settings())
    kept = await made.hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert await made.verify(kept, "correct horse")
    assert not await made.verify(kept, "correct horsf")


@pytest.mark.parametrize("password", ["a" * 1024, "\u20ac" * 40, "a\u0000b", " ", "\U0001f4a5"])
async def test_every_character_counts(password: str) -> None:
    made = passwords()
    kept = await made.hash(password)
    assert await made.verify(kept, password)
    assert not await made.verify(kept, password + "x")
    assert not await made.verify(kept, password[:-1])


@pytest.mark.parametrize("kept", [None, "", "x", "$argon2id$v=19$m=64,t=1,p=1$x$y"])
async def test_without_a_hash_no_password_is_right(kept: str | None) -> None:
    made = passwords()
    # the one password that what stands for nobody would fit
    made._nobody = await made.hash("correct horse")  # noqa: SLF001 - it is random otherwise
    assert not await made.verify(kept, "correct horse")


async def test_who_finds_no_room_in_time_is_told_so() -> None:
    made = passwords(password_wait_s=0)
    gate = threading.Event()
    busy = asyncio.create_task(made._beside(gate.wait))  # noqa: SLF001 - it holds the one place
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError) as refused:
        await made.hash("correct horse")
    assert refused.value.headers["retry-after"] == "2"
    gate.set()
    assert await busy
    assert await made.hash("correct horse")
