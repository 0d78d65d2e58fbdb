"""The SQL of logins that have begun elsewhere: statements above, their functions below."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.tables import FlowRow
from common.database import Database

_F = FlowRow
_BEGIN = sa.insert(_F).values(
    state=bindparam("state", type_=sa.LargeBinary),
    provider=bindparam("provider", type_=sa.Text),
    browser=bindparam("browser", type_=sa.LargeBinary),
    sealed=bindparam("sealed", type_=sa.LargeBinary),
    redirect_to=bindparam("redirect_to", type_=sa.Text),
    expires_at=sa.func.now()
    + sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lifetime_s", type_=sa.BigInteger)),
)
# whoever comes with it has used it up, whatever else is wrong
_TAKE = (
    sa.delete(_F)
    .where(_F.state == bindparam("state", type_=sa.LargeBinary))
    .returning(
        _F.provider,
        _F.browser,
        _F.sealed,
        _F.redirect_to,
        (_F.expires_at > sa.func.now()).label("is_live"),
    )
)


class Kept(msgspec.Struct, frozen=True):
    """A login that had begun."""

    provider: str
    browser: bytes
    sealed: bytes
    redirect_to: str | None
    is_live: bool


async def begin(
    db: Database,
    state: bytes,
    provider: str,
    browser: bytes,
    sealed: bytes,
    redirect_to: str | None,
    lifetime_s: int,
) -> None:
    """Keep a login until the browser is back."""
    await db.run(
        _BEGIN,
        state=state,
        provider=provider,
        browser=browser,
        sealed=sealed,
        redirect_to=redirect_to,
        lifetime_s=lifetime_s,
    )


async def take(db: Database, state: bytes) -> Kept | None:
    """Use a login up."""
    return await db.one_or_none(_TAKE, Kept, state=state)
