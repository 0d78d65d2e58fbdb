"""Keys to games, and what a browser is told of a game."""

import base64
from uuid import UUID

import pytest

from builds.play import headers, keys
from builds.play.service import Allowed
from builds.types import Page
from common.ids import uuid7

_BUILD = UUID(int=1)
_USER = UUID(int=2)


def test_a_key_says_whose_it_is():
    key = keys.make("secret", _BUILD, _USER, 60)
    held = keys.holder("secret", _BUILD, key)
    assert held is not None
    assert held[0] == _USER
    assert 58 <= held[1] <= 60


def test_a_key_opens_one_build_only_and_with_one_secret_only():
    key = keys.make("secret", _BUILD, _USER, 60)
    assert keys.holder("secret", uuid7(), key) is None
    assert keys.holder("other", _BUILD, key) is None


def test_a_key_ends():
    assert keys.holder("secret", _BUILD, keys.make("secret", _BUILD, _USER, 0)) is None


@pytest.mark.parametrize("key", ["", "x", "ä", "A" * 54, "=" * 9, "A" * 10_000])
def test_nonsense_is_no_key(key):
    assert keys.holder("secret", _BUILD, key) is None


def test_no_bit_of_a_key_can_be_changed():
    key = keys.make("secret", _BUILD, _USER, 60)
    raw = bytearray(base64.urlsafe_b64decode(key + "=="))
    for i in range(len(raw)):
        raw[i] ^= 1
        forged = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        assert keys.holder("secret", _BUILD, forged) is None
        raw[i] ^= 1


def _found(path, *, is_public=True):
    return Allowed(path, Page(10, "ab"), is_public, uuid7())


def test_a_hashed_name_is_kept_for_ever_and_a_page_is_asked_for_again():
    hashed = headers.of(_found("main-TQYR7HN4.js"), _BUILD, "h")
    assert hashed["cache-control"] == "public, max-age=31536000, immutable"
    page = headers.of(_found("index.html", is_public=False), _BUILD, "h")
    assert page["cache-control"] == "private, no-cache"


def test_a_game_reaches_its_own_folder_only():
    policy = headers.policy(_BUILD, "localhost:8080")
    assert f"connect-src localhost:8080/play/{_BUILD}/ data: blob:" in policy
    assert "allow-popups" not in policy


@pytest.mark.parametrize("host", ["", "a; script-src *", "a b", "*", "x\r\ny: z"])
def test_a_strange_host_does_not_widen_the_policy(host):
    assert "connect-src 'none'" in headers.policy(_BUILD, host)
