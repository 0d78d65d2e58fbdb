"""What a log may not tell."""

import pytest

from builds.logs.masking import Mask, of
from builds.settings import Settings
from common.settings import StorageSettings, load

_JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLWl0"
_LOOK_SECRET = {
    f"authorization: Bearer {_JWT}": "authorization: Bearer ***",
    f"the token {_JWT}, and more": "the token ***, and more",
    "Bearer abcdefghijklmnopqrstuvwxyz==": "Bearer ***",
    "Authorization: Basic dXNlcjpwYXNzd29yZA==": "Authorization: Basic ***",
    "GET /x?a=1&X-Amz-Signature=00ff&b=2": "GET /x?a=1&X-Amz-Signature=***&b=2",
    "/play/1/?key=abc.def": "/play/1/?key=***",
    "with wl_0199aabb-cc_Zx-12345678 and on": "with *** and on",
    "//registry/:_authToken=npm-secret": "//registry/:_authToken=***",
    "npm_0123456789012345678901234567890123456": "***",
    "nats://builds:hush@127.0.0.1:4222/": "nats://***@127.0.0.1:4222/",
    "x-api-key: abc": "x-api-key: ***",
}
_INNOCENT = [
    "src/main.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.",
    '\x1b[31m✘ \x1b[41;31m[\x1b[41;97mERROR\x1b[41;31m]\x1b[0m Could not resolve "./nope"',
    "npm_lifecycle, wl_play and the bearer of bad news",
    "https://example.org/@scope/name?page=2",
    "key = 1; token: string",
]


@pytest.mark.parametrize("line", _LOOK_SECRET)
def test_what_looks_like_a_secret_is_hidden(line):
    assert Mask()(line) == _LOOK_SECRET[line]


@pytest.mark.parametrize("line", _INNOCENT)
def test_what_is_no_secret_stays(line):
    assert Mask()(line) == line


def test_the_workers_own_secrets_are_hidden_however_they_are_written():
    told = {
        "DATABASE_URL": "postgresql://builds:data%2Fbase-word@127.0.0.1:1/x",
        "FLEET_SECRET": "fleet-word",
        "NATS_URL": "nats://127.0.0.1",
        "NATS_PASSWORD": "nats/word",
        "PLAY_SECRET": "play-word",
        "S3_ENDPOINT_URL": "http://127.0.0.1",
        "S3_ACCESS_KEY": "access-word",
        "S3_SECRET_KEY": "s3-word",
    }
    settings, storage = load(Settings, told), load(StorageSettings, told)
    mask = of(settings, storage)
    for secret in ("fleet-word", "play-word", "nats/word", "nats%2Fword", "access-word", "s3-word"):
        assert mask(f"a {secret} b{secret}c") == "a *** b***c"
    for secret in (settings.database_url, "data%2Fbase-word"):
        assert "base-word" not in mask(f"could not reach {secret}")
    assert mask("127.0.0.1 nats://127.0.0.1") == "127.0.0.1 nats://127.0.0.1"


def test_a_password_too_short_to_be_one_does_not_black_out_the_log():
    assert Mask(["", "dev"])("a dev is a developer") == "a dev is a developer"
