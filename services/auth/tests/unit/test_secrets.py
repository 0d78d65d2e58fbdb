"""What is sealed, derived and compared."""

import base64

import pytest

from auth.secrets import SealError, Vault, digest, fresh
from auth.settings import Settings
from common.ids import uuid7
from common.settings import SettingsError

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(32)).decode()
THIRD = base64.b64encode(bytes(range(32, 64))).decode()


def test_what_is_sealed_opens_under_its_name_and_key_alone() -> None:
    sealed = Vault(KEY).seal(b"plain", "name")
    assert b"plain" not in sealed
    assert Vault(KEY).unseal(sealed, "name") == b"plain"
    for vault, name, kept in (
        (Vault(OTHER), "name", sealed),
        (Vault(KEY), "other", sealed),
        (Vault(KEY), "name", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (Vault(KEY), "name", b""),
    ):
        with pytest.raises(SealError):
            vault.unseal(kept, name)


def test_the_same_is_never_sealed_the_same() -> None:
    assert Vault(KEY).seal(b"plain", "name") != Vault(KEY).seal(b"plain", "name")


@pytest.mark.parametrize("encoded", ["", "x", "eHg=", KEY[:-4], KEY + "eHg=", "\u20ac" * 44])
def test_a_key_has_its_size(encoded: str) -> None:
    with pytest.raises(SettingsError, match="KEY_ENCRYPTION_KEY"):
        Vault(encoded)


def test_a_token_has_one_successor_for_each_key_of_the_ring() -> None:
    token = fresh()
    [made] = Vault(KEY).successors(token)
    assert Vault(KEY).successors(token) == [made]
    assert Vault(KEY).successors(fresh()) != [made]
    [others] = Vault(OTHER).successors(token)
    assert others != made
    assert Vault(OTHER, KEY).successors(token) == [others, made]
    assert len(made) == len(token)


def test_a_csrf_token_names_its_session_and_cannot_be_made_up() -> None:
    vault, session = Vault(KEY), uuid7()
    token = vault.csrf(session)
    assert vault.csrf_session(token) == session
    made_up = f"{uuid7().hex}.{token.partition('.')[2]}"
    for other in ("", "x", ".", token[:-1], token + "x", made_up, Vault(OTHER).csrf(session)):
        assert vault.csrf_session(other) is None
    assert vault.csrf_session("\u20ac.\ud800") is None


def test_what_another_key_of_the_ring_made_stays_good() -> None:
    before, session = Vault(KEY), uuid7()
    sealed = before.seal(b"plain", "name")
    after = Vault(OTHER, f"{THIRD}, {KEY}")
    assert after.unseal(sealed, "name") == b"plain"
    assert (before.is_current(sealed, "name"), after.is_current(sealed, "name")) == (True, False)
    assert after.is_current(after.seal(b"plain", "name"), "name")
    assert after.csrf_session(before.csrf(session)) == session
    assert after.csrf(session) == Vault(OTHER).csrf(session)
    with pytest.raises(SealError, match="KEY_ENCRYPTION_KEYS_OTHER"):
        before.unseal(after.seal(b"plain", "name"), "name")
    assert before.csrf_session(after.csrf(session)) is None


@pytest.mark.parametrize("others", ["", " ", ",", f"{THIRD},{THIRD}", f"{THIRD}\n{KEY}\n"])
def test_a_ring_is_written_with_commas_or_space(others: str) -> None:
    vault = Vault(KEY, others)
    assert len(vault.successors("token")) == (2 if THIRD in others else 1)


@pytest.mark.parametrize("other", ["x", "eHg=", KEY[:-4]])
def test_a_key_of_the_ring_that_is_none_is_named(other: str) -> None:
    with pytest.raises(SettingsError, match="KEY_ENCRYPTION_KEYS_OTHER, number 2,"):
        Vault(KEY, f"{THIRD},{other}")


def test_a_secret_is_long_and_kept_as_its_hash() -> None:
    assert fresh() != fresh()
    assert len(digest(fresh())) == 32


@pytest.mark.parametrize(
    ("address", "are_secure"),
    [
        ("http://localhost:8080", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("https://localhost:8080", True),
        ("http://games.example.org", True),
        ("https://games.example.org", True),
        ("http://localhost.example.org", True),
    ],
)
def test_cookies_are_secure_but_on_this_machine(address: str, *, are_secure: bool) -> None:
    settings = Settings(
        database_url="", fleet_secret="", nats_url="", key_encryption_key="", gateway_url=address
    )
    assert settings.are_cookies_secure is are_secure
