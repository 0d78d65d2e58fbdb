"""Exchanging a refresh token for the next one, and noticing one that was stolen."""

from auth.errors import RefreshTokenReusedError
from auth.rotation import repository
from auth.rotation.repository import Rotation
from auth.secrets import Vault, digest
from auth.settings import Settings
from common.database import Database
from common.errors import UnauthenticatedError


async def rotate(
    db: Database, settings: Settings, vault: Vault, token: str
) -> tuple[Rotation, str]:
    """Return whose the token is, and its successor: the same for who asks again in time.

    Raises ``RefreshTokenReusedError`` and ends the session where the successor was used before.
    """
    successor = vault.successor(token)
    grace_s = settings.refresh_grace_s
    rotation = await repository.rotate(db, digest(token), digest(successor), grace_s)
    if rotation is not None and rotation.verdict == "reused":
        raise RefreshTokenReusedError("This refresh token was used before: log in again.")
    if rotation is None or rotation.verdict == "dead":
        raise UnauthenticatedError("The session is over: log in again.")
    return rotation, successor
