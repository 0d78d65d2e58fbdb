"""Making signing keys, and replacing them without anybody's token being refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from joserfc.jwk import ECKey

from auth.keys import repository
from auth.keys.repository import Rotated
from auth.keys.types import SigningKey
from auth.secrets import Vault
from auth.settings import Settings
from common.database import Database
from common.ids import uuid7

log = structlog.get_logger()

ALGORITHM = "ES256"


async def kept(db: Database, vault: Vault) -> list[SigningKey]:
    """Return the keys, the newest first; make the first one. Raises ``UnavailableError``."""
    keys = await repository.every(db)
    if not keys:
        await repository.add_first(db, *_made(vault))
        keys = await repository.every(db)
    return keys


def opened(key: SigningKey, vault: Vault) -> ECKey:
    """Return the private half of a key; raises ``SealError``."""
    return ECKey.import_key(vault.unseal(key.sealed, key.kid), {"kid": key.kid})


async def rotate(db: Database, vault: Vault, settings: Settings) -> Rotated | None:
    """Publish a new key, which signs once everybody has had the time to learn of it."""
    return await _rotate(db, vault, settings, age_s=None, deed="signing_key.rotated")


async def replace(db: Database, vault: Vault) -> Rotated | None:
    """Let a new key sign at once and trust no other from now on: the others are compromised."""
    deed = "signing_key.replaced"
    return await repository.rotate(db, *_made(vault), age_s=None, overlap_s=0, kept_s=0, deed=deed)


async def tend(db: Database, vault: Vault, settings: Settings) -> None:
    """Replace a key that has signed for long enough, and forget those that are gone."""
    if settings.signing_key_lifetime_s:
        # a little early: its successor is to sign when it has signed for its whole lifetime
        age_s = settings.signing_key_lifetime_s - settings.signing_key_overlap_s
        ends_at = datetime.now(UTC) - timedelta(seconds=age_s)
        keys = await kept(db, vault)
        if all(key.signs_from <= ends_at for key in keys):
            rotated = await _rotate(db, vault, settings, age_s=age_s)
            if rotated is not None:
                log.info("signing_key_rotated", kid=rotated.kid, signs_from=rotated.signs_from)
    for kid in await repository.forget(db):
        log.info("signing_key_forgotten", kid=kid)


async def _rotate(
    db: Database, vault: Vault, settings: Settings, *, age_s: int | None, deed: str = ""
) -> Rotated | None:
    return await repository.rotate(
        db,
        *_made(vault),
        age_s=age_s,
        overlap_s=settings.signing_key_overlap_s,
        kept_s=settings.access_lifetime_s + settings.clocks_differ_s,
        deed=deed,
    )


def _made(vault: Vault) -> tuple[str, dict[str, Any], bytes]:
    kid = str(uuid7())
    key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": ALGORITHM})
    return kid, dict(key.as_dict(private=False)), vault.seal(key.as_pem(private=True), kid)
