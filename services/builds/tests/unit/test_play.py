"""Keys to games, and what a browser is told of a game."""

import base64
from uuid import UUID

import pytest

from builds.play import cookies, forms, headers, keys
from builds.play.forms import Asked
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


_EDITORS = "http://localhost:5173,https://*.editor.example"


def _told(path, *, is_public=True, **more):
    found = Allowed(path, Page(10, "ab", **more), is_public, _BUILD)
    form = forms.answer(found.page, Asked()).form
    return headers.of(found, form, _BUILD, "play.example", _EDITORS)


def test_a_hashed_name_is_kept_for_ever_and_a_page_is_asked_for_again():
    assert _told("main-TQYR7HN4.js")["cache-control"] == "public, max-age=31536000, immutable"
    assert _told("index.html")["cache-control"] == "public, no-cache"


@pytest.mark.parametrize("path", ["index.html", "main-TQYR7HN4.js", "assets/a.png"])
def test_whatever_is_private_is_asked_for_again_and_is_no_other_pages(path):
    told = _told(path, is_public=False)
    assert told["cache-control"] == "private, no-cache"
    assert told["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("is_public", [True, False])
@pytest.mark.parametrize("path", ["index.html", "worker.js", "a.mjs", "a.wasm", "a.png"])
def test_without_the_setting_a_game_is_not_isolated(path, is_public):
    told = _told(path, is_public=is_public)
    assert not {n for n in told if n.startswith(("cross-origin-opener", "cross-origin-embedder"))}
    assert "sandbox allow-scripts" in told["content-security-policy"]
    assert "service-worker-allowed" not in told


@pytest.mark.parametrize(
    ("path", "opener", "embedder"),
    [
        ("index.html", "same-origin", "require-corp"),
        ("levels/two.htm", "same-origin", "require-corp"),
        ("picture.svg", "same-origin", "require-corp"),
        ("worker-TQYR7HN4.js", None, "require-corp"),
        ("worker.mjs", None, "require-corp"),
        ("worker.js.gz", None, "require-corp"),
        ("game.wasm", None, None),
        ("assets/a.png", None, None),
    ],
)
def test_an_isolated_game_says_so_on_pages_and_on_workers(path, opener, embedder):
    told = _told(path, isolated=True, coding="gzip" if path.endswith(".gz") else None)
    assert told.get("cross-origin-opener-policy") == opener
    assert told.get("cross-origin-embedder-policy") == embedder
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert "sandbox" not in told["content-security-policy"]


def test_an_address_is_nobodys_to_find_or_to_tell():
    told = _told("index.html")
    assert told["x-robots-tag"] == "noindex, nofollow"
    assert told["referrer-policy"] == "no-referrer"


def _policy(host="localhost:8080", editors="", *, is_isolated=False):
    return headers.policy(_BUILD, host, editors, is_isolated=is_isolated)


@pytest.mark.parametrize("is_isolated", [True, False])
def test_a_game_reaches_its_own_folder_only(is_isolated):
    policy = _policy(is_isolated=is_isolated)
    assert f"connect-src localhost:8080/play/{_BUILD}/ data: blob:" in policy
    assert "allow-popups" not in policy
    assert "frame-src 'none'" in policy


@pytest.mark.parametrize("host", ["", "a; script-src *", "a b", "*", "x\r\ny: z"])
def test_a_strange_host_does_not_widen_the_policy(host):
    assert "connect-src 'none'" in _policy(host)


@pytest.mark.parametrize(
    ("editors", "named"),
    [
        ("", "'none'"),
        (_EDITORS, "http://localhost:5173 https://*.editor.example"),
        ("*,https://a.example; script-src *,http:,https://ok.example", "https://ok.example"),
    ],
)
def test_only_editors_may_have_a_game_in_a_frame(editors, named):
    assert f"frame-ancestors {named}; " in _policy(editors=editors)


def test_a_cookie_is_for_one_folder_of_one_host():
    for is_https, destination in ((True, "document"), (False, "document"), (False, "iframe")):
        cookie = cookies.granted("k", _BUILD, 60, is_https=is_https, destination=destination)
        assert cookie.startswith(f"wl_play=k; Path=/play/{_BUILD}/; Max-Age=60; HttpOnly; ")
        assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("is_https", "destination", "attributes"),
    [
        (True, None, "Secure; SameSite=None; Partitioned"),
        (True, "document", "Secure; SameSite=None; Partitioned"),
        (False, "iframe", "Secure; SameSite=None; Partitioned"),
        (False, "document", "SameSite=Lax"),
        (False, None, "SameSite=Lax"),
    ],
)
def test_a_cookie_works_in_an_editors_frame_where_that_can_be(is_https, destination, attributes):
    cookie = cookies.granted("k", _BUILD, 60, is_https=is_https, destination=destination)
    assert cookie.endswith(f"; HttpOnly; {attributes}")
