"""Exchanging a refresh token for the next one, and noticing one that was stolen."""

from uuid import UUID

from auth.errors import CsrfError, RefreshTokenReusedError
from auth.rotation import repository
from auth.rotation.repository import Rotation
from auth.secrets import Vault, digest
from auth.settings import Settings
from common import exchange
from common.database import Database
from common.errors import UnauthenticatedError


async def rotate(
    db: Database, settings: Settings, vault: Vault, token: str, page_of: UUID | None
) -> tuple[Rotation, str]:
    """Return whose the token is, and its successor: the same for who asks again in time.

    ``page_of`` is the session that the page speaks for, where a page does: ``CsrfError`` for
    another's. ``RefreshTokenReusedError``, and the session's end, where the successor was used.
    """
    candidates = {digest(successor): successor for successor in vault.successors(token)}
    newest = next(iter(candidates))
    grace_s = settings.refresh_grace_s
    rotation = await repository.rotate(db, digest(token), newest, grace_s, page_of)
    if rotation is not None and rotation.verdict == "foreign":
        raise CsrfError("The CSRF token is for another session.")
    if rotation is not None and rotation.verdict == "reused":
        exchange.unsettle()
        raise RefreshTokenReusedError("This refresh token was used before: log in again.")
    # the kept successor may have been derived under another key of the ring than the newest
    successor = candidates.get(rotation.successor or b"") if rotation is not None else None
    if rotation is None or rotation.verdict == "dead" or successor is None:
        raise UnauthenticatedError("The session is over: log in again.")
    return rotation, successor
