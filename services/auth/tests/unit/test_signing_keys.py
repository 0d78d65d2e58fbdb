"""Which key signs, and which are published, is decided by time alone."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.keys import types
from auth.keys.types import SigningKey
from auth.settings import Settings
from common.settings import SettingsError, load

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def key(kid: str, made: float, signs: float, until: float | None) -> SigningKey:
    ends = None if until is None else at(until)
    return SigningKey(kid, {}, b"", at(made), at(signs), ends)


# b was announced at 0 and c at 40: each ten minutes ahead, and a token lasts for five
RING = [key("c", 40, 50, None), key("a", -100, -100, 15), key("b", 0, 10, 55)]


@pytest.mark.parametrize(
    ("minutes", "signs", "known"),
    [
        (-1, "a", "cba"),
        (0, "a", "cba"),
        (9.9, "a", "cba"),
        (10, "b", "cba"),
        (14.9, "b", "cba"),
        (15, "b", "cb"),
        (49.9, "b", "cb"),
        (50, "c", "cb"),
        (55, "c", "c"),
        (9_999, "c", "c"),
    ],
)
def test_one_key_signs_at_any_time(minutes: float, signs: str, known: str) -> None:
    signer = types.signing(RING, at(minutes))
    assert signer is not None
    assert signer.kid == signs
    assert "".join(one.kid for one in types.published(RING, at(minutes))) == known
    # whatever order a replica read them in
    assert types.signing(RING[::-1], at(minutes)) == signer


def test_each_key_has_its_phase() -> None:
    phases = {m: [types.phase(one, RING, at(m)) for one in RING] for m in (5, 12, 20, 60)}
    assert phases == {
        5: ["coming", "signing", "coming"],
        12: ["coming", "leaving", "signing"],
        20: ["coming", "gone", "signing"],
        60: ["signing", "gone", "gone"],
    }


def test_a_key_made_in_haste_signs_although_another_was_to() -> None:
    planned = key("planned", 0, 60, 5)
    hasty = key("hasty", 5, 5, None)
    for minutes in (5, 60, 600):
        assert types.signing([planned, hasty], at(minutes)) == hasty


def test_the_first_key_signs_although_the_clock_here_is_behind() -> None:
    first = key("first", 0, 0, None)
    assert types.signing([first], at(-1)) == first
    assert types.signing([], NOON) is None


def settings(**values: int) -> Settings:
    needed = {"DATABASE_URL": "", "FLEET_SECRET": "", "NATS_URL": "", "KEY_ENCRYPTION_KEY": ""}
    return load(Settings, needed | {name.upper(): str(value) for name, value in values.items()})


@pytest.mark.parametrize(
    "values",
    [
        {"signing_key_overlap_s": 359},
        {"jwks_cached_s": 3_600},
        {"signing_keys_cached_s": 3_600},
        {"signing_key_lifetime_s": 3_600},
        {"signing_key_lifetime_s": 60},
    ],
)
def test_a_key_does_not_sign_before_everybody_knows_it(values: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="SIGNING_KEY_"):
        settings(**values)


def test_an_overlap_may_be_just_long_enough_and_a_key_sign_for_ever() -> None:
    made = settings(signing_key_overlap_s=360, signing_key_lifetime_s=0)
    assert made.signing_key_overlap_s == made.signing_keys_cached_s + made.jwks_cached_s
