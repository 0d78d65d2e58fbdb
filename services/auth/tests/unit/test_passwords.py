"""Passwords: which are right for what is kept of them, and what may be kept."""

import bcrypt
import pytest

from auth.hashing import hasher, is_right
from auth.passwords import is_importable
from auth.settings import Settings

CHEAP = hasher(64, 1)
# what stands for nobody: here its password is known
NOBODY = CHEAP.hash("correct horse")
PASSWORDS = ["a" * 1024, "\u20ac" * 40, "a\u0000b", " ", "\U0001f4a5"]
SETTINGS = Settings(database_url="", fleet_secret="", nats_url="", key_encryption_key="")


def matches(kept: str | None, password: str) -> bool:
    return is_right(CHEAP, NOBODY, kept, password)


def hashed(password: bytes, prefix: bytes = b"2b") -> str:
    """A hash as another system keeps it; four rounds, because nobody is kept out by this one."""
    made = bcrypt.hashpw(password, bcrypt.gensalt(4))
    return made.replace(b"$2b$", b"$" + prefix + b"$").decode()


def test_by_default_a_hash_is_as_dear_as_it_should_be() -> None:
    made = hasher(SETTINGS.password_memory_kib, SETTINGS.password_passes)
    assert made.hash("correct horse").startswith("$argon2id$v=19$m=47104,t=2,p=1$")


@pytest.mark.parametrize("password", PASSWORDS)
def test_every_character_counts(password: str) -> None:
    kept = CHEAP.hash(password)
    assert matches(kept, password)
    assert not matches(kept, password + "x")
    assert not matches(kept, password[:-1])


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
def test_without_a_hash_no_password_is_right(kept: str | None) -> None:
    assert matches(NOBODY, "correct horse")
    assert not matches(kept, "correct horse")


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
@pytest.mark.parametrize("password", ["correct horse", "\u20ac" * 20, "\U0001f4a5"])
def test_a_bcrypt_hash_is_verified(prefix: bytes, password: str) -> None:
    kept = hashed(password.encode(), prefix)
    assert matches(kept, password)
    assert not matches(kept, password + "x")
    assert not matches(kept, password[:-1])


def test_bcrypt_has_seen_no_more_than_72_bytes() -> None:
    kept = hashed(b"x" * 72)
    assert matches(kept, "x" * 80)
    assert matches(kept, "x" * 72)
    assert not matches(kept, "x" * 71)


def test_a_hash_from_elsewhere_can_be_verified_at_a_bearable_cost() -> None:
    bearable = ["$argon2id$v=19$m=65536,t=3,p=4$", "$argon2i$v=19$m=102400,t=2,p=8$"]
    unbearable = ["$argon2id$v=19$m=2097152,t=1,p=1$", "$argon2id$v=19$m=65536,t=100,p=1$"]
    salt_and_hash = "c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
    assert all(is_importable(one + salt_and_hash, SETTINGS) for one in bearable)
    assert not any(is_importable(one + salt_and_hash, SETTINGS) for one in unbearable)
    assert is_importable(hashed(b"correct horse", b"2y"), SETTINGS)
    for kept in ("", "x", "$1$abc$def", "$2b$15$" + "." * 53, "$2b$03$" + "." * 53, "{SHA}x"):
        assert not is_importable(kept, SETTINGS)
