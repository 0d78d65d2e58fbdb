"""Addresses that are signed for one member, one project, one content, for a while."""

import msgspec
import pytest

from assets.delivery import signatures
from assets.objects.types import Grant
from assets.settings import Settings
from common.ids import uuid7

SETTINGS = Settings(database_url="", fleet_secret="f" * 32, nats_url="", cdn_secret="c" * 32)
SHA256 = "a1" * 32
GRANT = Grant(uuid7(), uuid7())


def test_what_was_signed_is_good_for_at_least_half_of_the_lifetime():
    query = signatures.signed(SETTINGS, SHA256, GRANT).encode()
    assert signatures.is_signed(query)
    found = signatures.granted(SETTINGS, SHA256, query)
    assert found is not None
    assert found[0] == GRANT
    assert 150 <= found[1] <= 300
    assert signatures.granted(SETTINGS, SHA256, query + b"&download=1") is not None


def test_it_is_for_one_content():
    query = signatures.signed(SETTINGS, SHA256, GRANT).encode()
    assert signatures.granted(SETTINGS, "a2" + SHA256[2:], query) is None


def test_it_expires():
    past = msgspec.structs.replace(SETTINGS, download_lifetime_s=-20_000)
    query = signatures.signed(past, SHA256, GRANT).encode()
    found = signatures.granted(SETTINGS, SHA256, query)
    assert found is None or found[1] <= 2


def test_without_a_key_of_its_own_the_fleets_secret_signs():
    bare = msgspec.structs.replace(SETTINGS, cdn_secret="")
    query = signatures.signed(bare, SHA256, GRANT).encode()
    assert signatures.granted(bare, SHA256, query) is not None
    assert signatures.granted(SETTINGS, SHA256, query) is None


@pytest.mark.parametrize("query", [b"exp=1", b"a=1&sig=", b"x-grant=1", b"%65xp=1&sig=x"])
def test_part_of_a_signature_is_a_bad_one(query):
    assert signatures.is_signed(query)
    assert signatures.granted(SETTINGS, SHA256, query) is None


@pytest.mark.parametrize("query", [b"", b"download=1", b"v=2"])
def test_another_query_is_no_signature(query):
    assert not signatures.is_signed(query)
