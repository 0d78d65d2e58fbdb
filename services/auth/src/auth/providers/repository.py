"""The SQL of providers: statements above, the functions that run them below."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from auth.providers.types import Provider
from auth.tables import IdentityRow, ProviderRow
from common.database import Queries

_P = ProviderRow
_NAME = bindparam("name", type_=sa.Text)
_COLUMNS = (_P.name, _P.kind, _P.urls, _P.client_id, _P.sealed_secret, _P.scopes)
_ALL = sa.select(*_COLUMNS).order_by(_P.name)
_IS_KNOWN_BY = sa.exists(sa.select(IdentityRow.id).where(IdentityRow.provider == _NAME))


def _set() -> "sa.Select[str]":
    given = insert(_P).values(
        name=_NAME,
        kind=bindparam("kind", type_=sa.Text),
        urls=bindparam("urls", type_=JSONB),
        client_id=bindparam("client_id", type_=sa.Text),
        sealed_secret=bindparam("sealed_secret", type_=sa.LargeBinary),
        scopes=bindparam("scopes", type_=ARRAY(sa.Text)),
    )
    # a subject is somebody at one issuer: at another it may be somebody else
    is_the_same = (_P.kind == given.excluded.kind) & (_P.urls == given.excluded.urls)
    written = (
        given.on_conflict_do_update(
            index_elements=[_P.name],
            set_={
                "kind": given.excluded.kind,
                "urls": given.excluded.urls,
                "client_id": given.excluded.client_id,
                "sealed_secret": given.excluded.sealed_secret,
                "scopes": given.excluded.scopes,
                "updated_at": sa.func.now(),
            },
            where=is_the_same | ~_IS_KNOWN_BY,
        )
        .returning(_P.name)
        .cte("written")
    )
    return sa.select(written.c.name)


_SET = _set()
_REMOVE = sa.delete(_P).where(_P.name == _NAME).returning(_P.name)


async def every(db: Queries) -> list[Provider]:
    """Return the providers by their names."""
    return await db.all(_ALL, _provider)


def _provider(
    name: str,
    kind: str,
    urls: dict[str, Any],
    client_id: str,
    sealed_secret: bytes,
    scopes: list[str],
) -> Provider:
    return Provider(name, kind, urls, client_id, sealed_secret, scopes)


async def put(db: Queries, provider: Provider) -> bool:
    """Keep a provider; false where people are known by this name at another place."""
    written = await db.one_or_none(
        _SET,
        _same,
        name=provider.name,
        kind=provider.kind,
        urls=provider.urls,
        client_id=provider.client_id,
        sealed_secret=provider.sealed_secret,
        scopes=provider.scopes,
    )
    return written is not None


async def remove(db: Queries, name: str) -> bool:
    """Forget a provider; false where there is none of this name."""
    return await db.one_or_none(_REMOVE, _same, name=name) is not None


def _same(name: str) -> str:
    return name
