"""The keys that sign: made once, kept sealed, and good while the database is away."""

import asyncio
import base64

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, part

from auth.keys.keyring import Keys
from auth.secrets import SealError, Vault
from auth.settings import Settings
from common.database import Database
from common.errors import UnavailableError
from common.settings import load
from common.testing.apps import Serving


async def test_what_is_published_is_public(desk: Desk) -> None:
    answer = await desk.call("GET", "/.well-known/jwks.json")
    assert answer.status_code == 200
    assert "max-age=" in answer.headers["cache-control"]
    keys = answer.json()["keys"]
    assert keys
    for key in keys:
        assert {"kty", "crv", "x", "y", "kid"} <= set(key)
        assert not {"d", "p", "q", "k"} & set(key)
        assert (key["kty"], key["crv"]) == ("EC", "P-256")


async def test_services_that_start_at_once_make_one_key(serve: Serving, desk: Desk) -> None:
    ann = await desk.person()
    known = (await desk.call("GET", "/.well-known/jwks.json")).json()
    async with serve() as one, serve() as other:
        for client in (one, other):
            desk.client = client
            assert (await desk.call("GET", "/.well-known/jwks.json")).json() == known
            again = await desk.login(ann)
            assert part(again.access_token, 0)["kid"] == part(ann.access_token, 0)["kid"]


async def test_a_private_key_is_kept_sealed(desk: Desk) -> None:
    kept = await desk.one(
        "SELECT string_agg(encode(sealed, 'escape'), '') AS value FROM signing_key", sa.Text()
    )
    assert "PRIVATE KEY" not in kept


async def ring(told: dict[str, str], db: Database, **other: str) -> Keys:
    """The keys, as a service with these settings has them."""
    settings = load(Settings, told | {"SIGNING_KEYS_CACHED_S": "0"} | other)
    keys = Keys(settings, Vault(settings.key_encryption_key))
    await keys.use(db)
    return keys


async def test_the_keys_go_on_while_the_database_is_away(desk: Desk, told: dict[str, str]) -> None:
    db = await Database.connect(told["DATABASE_URL"], pool_size=1, wait_s=1.0, statement_s_max=1.0)
    keys = await ring(told, db)
    known = await keys.published()
    await db.close()
    assert await keys.published() == known
    signed = await asyncio.gather(*[keys.sign("a", "b", "user") for _ in range(3)])
    assert {part(token, 0)["kid"] for token in signed} <= {key["kid"] for key in known["keys"]}
    unknown = await ring(told, db)
    with pytest.raises(UnavailableError):
        await unknown.published()
    assert desk.client.db is not db


async def test_another_service_s_key_opens_nothing(desk: Desk, told: dict[str, str]) -> None:
    other = base64.b64encode(b"another key of thirty-two bytes.").decode()
    with pytest.raises(SealError, match="KEY_ENCRYPTION_KEY"):
        await ring(told, desk.client.db, KEY_ENCRYPTION_KEY=other)
