"""After a new KEY_ENCRYPTION_KEY everything is sealed anew, and the old one is needed no more."""

import base64
import os
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from services.auth.tests import apart
from services.auth.tests.desk import Desk
from services.auth.tests.operation import operate

from auth.mail import types as mail
from auth.oauth import types as oauth
from auth.providers import types as providers
from auth.resealing import repository
from auth.secrets import SealError, Vault
from auth.tables import AuditRow, FlowRow, MailRow, ProviderRow, SigningKeyRow, Tables
from common.database import Database
from common.testing.apps import Serving
from fleet.testing import Running

DEED = "secrets.resealed"
ROWS = 7
PLAIN = b"what is sealed"
NEW, OLD, STRANGE = (base64.b64encode(os.urandom(32)).decode() for _ in range(3))


class Place:
    """A table with something sealed, and how its rows are made."""

    def __init__(
        self,
        row: type[Tables],
        key: Any,
        sealed: Any,
        name: Callable[[Any], str],
        make: Callable[[int], dict[str, Any]],
    ) -> None:
        self.row, self.key, self.sealed, self.name, self._make = row, key, sealed, name, make

    async def put(self, db: Database, number: int, vault: Vault) -> None:
        """Keep a row that is sealed with a vault."""
        values = self._make(number)
        sealed = vault.seal(PLAIN, self.name(values[self.key.key]))
        await db.run(sa.insert(self.row).values(values | {self.sealed.key: sealed}))

    async def opened(self, db: Database, vault: Vault) -> list[bytes]:
        """What a vault opens of all rows."""
        found: list[bytes] = []
        for key, sealed in await db.all(sa.select(self.key, self.sealed), _pair):
            try:
                found.append(vault.unseal(sealed, self.name(key)))
            except SealError:
                continue
        return found


def _same(details: dict[str, Any]) -> dict[str, Any]:
    return details


def _pair(key: Any, sealed: bytes) -> tuple[Any, bytes]:
    return key, sealed


_LATER = sa.func.now() + sa.text("interval '1 hour'")
_PROVIDER = {"kind": "oidc", "urls": {}, "client_id": "x", "scopes": []}
_FLOW = {"provider": "x", "browser": b"", "expires_at": _LATER}
_MAIL = {"kind": "verify", "next_at": _LATER, "expires_at": _LATER}
_KEY = {"public": {}, "published_until": _LATER}
PLACES = {
    "signing_key": Place(
        SigningKeyRow,
        SigningKeyRow.kid,
        SigningKeyRow.sealed,
        str,
        lambda n: _KEY | {"kid": f"k{n}"},
    ),
    "provider": Place(
        ProviderRow,
        ProviderRow.name,
        ProviderRow.sealed_secret,
        providers.sealed_as,
        lambda n: _PROVIDER | {"name": f"p{n}"},
    ),
    "flow": Place(
        FlowRow,
        FlowRow.state,
        FlowRow.sealed,
        oauth.sealed_as,
        lambda n: _FLOW | {"state": bytes([n])},
    ),
    "mail": Place(
        MailRow, MailRow.id, MailRow.sealed, mail.sealed_as, lambda n: _MAIL | {"id": UUID(int=n)}
    ),
}


@pytest.fixture(scope="module")
def there(stores: Running, told: dict[str, str]) -> dict[str, str]:
    """What a service with a database of its own is told, whose key was replaced just now."""
    made = apart.made(stores, "resealing")
    keys = {"KEY_ENCRYPTION_KEY": NEW, "KEY_ENCRYPTION_KEYS_OTHER": OLD}
    return told | keys | {"DATABASE_URL": made.database_url}


@pytest.fixture
async def db(there: dict[str, str]) -> AsyncGenerator[Database]:
    """That database, with nothing sealed in it."""
    url = there["DATABASE_URL"]
    made = await Database.connect(url, pool_size=2, wait_s=2.0, statement_s_max=5.0)
    for place in PLACES.values():
        await made.run(sa.delete(place.row))
    yield made
    await made.close()


def test_every_column_that_holds_something_sealed_is_known() -> None:
    # what all services have in common is sealed with keys of its own
    own = [m for m in Tables.registry.mappers if m.class_.__module__ == Tables.__module__]
    sealed = {
        mapper.local_table.description
        for mapper in own
        for column in mapper.columns
        if "sealed" in column.name
    }
    assert sealed == set(repository.TABLES) == set(PLACES)


async def test_the_old_key_is_needed_for_nothing_afterwards(
    db: Database, there: dict[str, str]
) -> None:
    for place in PLACES.values():
        for number in range(1, ROWS):
            await place.put(db, number, Vault(OLD))
        # what was begun before it was broken off
        await place.put(db, ROWS, Vault(NEW))
    done = await operate(there, "reseal", SWEEP_ROWS_MAX="2")
    assert (done.code, done.err) == (0, "")
    said = f"{ROWS - 1} resealed, 1 sealed with the newest key before"
    assert done.out.splitlines() == [f"{table}: {said}" for table in PLACES]
    for place in PLACES.values():
        assert await place.opened(db, Vault(NEW)) == [PLAIN] * ROWS
        assert await place.opened(db, Vault(OLD)) == []
    again = await operate(there, "reseal")
    assert again.code == 0
    said = f"0 resealed, {ROWS} sealed with the newest key before"
    assert again.out.splitlines() == [f"{table}: {said}" for table in PLACES]
    deeds = await db.all(sa.select(AuditRow.details).where(AuditRow.action == DEED), _same)
    assert {ROWS - 1, 0} <= {deed["signing_key"] for deed in deeds}


async def test_what_no_key_opens_is_named_and_left(db: Database, there: dict[str, str]) -> None:
    for place in PLACES.values():
        await place.put(db, 1, Vault(OLD))
        await place.put(db, 2, Vault(STRANGE))
        await place.put(db, 3, Vault(OLD))
    done = await operate(there, "reseal")
    assert done.code == 1
    assert done.err.splitlines() == [
        "signing_key k2: no key opens it",
        "provider p2: no key opens it",
        "flow 02: no key opens it",
        f"mail {UUID(int=2)}: no key opens it",
    ]
    for place in PLACES.values():
        assert await place.opened(db, Vault(NEW)) == [PLAIN] * 2
        assert await place.opened(db, Vault(STRANGE)) == [PLAIN]


async def test_a_row_that_became_something_else_meanwhile_stays_as_it_is(db: Database) -> None:
    place = PLACES["provider"]
    await place.put(db, 1, Vault(OLD))
    [before] = await repository.page(db, "provider", None, 10)
    other = Vault(NEW).seal(b"another", providers.sealed_as("p1"))
    await db.run(sa.update(ProviderRow).values(sealed_secret=other))
    assert not await repository.reseal(db, "provider", before, b"too late")
    assert await place.opened(db, Vault(NEW)) == [b"another"]


@pytest.mark.usefixtures("db")
async def test_people_go_on_through_a_whole_change_of_keys(
    there: dict[str, str], serve: Serving
) -> None:
    said = {name: there[name] for name in ("DATABASE_URL",)}
    async with serve(**said, KEY_ENCRYPTION_KEY=OLD) as client:
        desk = Desk(client)
        ann = await desk.person()
    told = [
        {"KEY_ENCRYPTION_KEY": OLD, "KEY_ENCRYPTION_KEYS_OTHER": NEW},
        {"KEY_ENCRYPTION_KEY": NEW, "KEY_ENCRYPTION_KEYS_OTHER": OLD},
    ]
    token = ann.refresh_token
    for keys in told:
        async with serve(**said, **keys) as client:
            answer = await Desk(client).refresh(token)
            assert answer.status_code == 200, answer.text
            token = answer.json()["data"]["refreshToken"]
    assert (await operate(there, "reseal")).code == 0
    async with serve(**said, KEY_ENCRYPTION_KEY=NEW) as client:
        assert (await Desk(client).refresh(token)).status_code == 200
