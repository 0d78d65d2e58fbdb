"""The operator's commands about keys."""

import argparse
import sys
from datetime import UTC, datetime

from auth.keys import repository, service, types
from auth.operation import Commands, Desk
from auth.secrets import SealError


def offer(commands: Commands) -> None:
    """Add the commands."""
    listed = commands.add_parser("signing-keys", help="list the keys that sign access tokens")
    listed.set_defaults(operation=show)
    rotated = commands.add_parser(
        "rotate-signing-key", help="publish a new key, which signs once everybody knows it"
    )
    rotated.add_argument(
        "--now",
        action="store_true",
        help="a key is compromised: sign with the new one at once, and trust no other",
    )
    rotated.set_defaults(operation=rotate)


async def show(desk: Desk, given: argparse.Namespace) -> int:
    """List the signing keys, the newest first, and where each is in its life."""
    del given
    now, keys = datetime.now(UTC), await repository.every(desk.db)
    for key in keys:
        until = _written(key.published_until) if key.published_until else "-"
        phase = types.phase(key, keys, now)
        sys.stdout.write(
            f"{key.kid}  {phase:<8}  signs from {_written(key.signs_from)}"
            f"  published until {until:<20}  {_sealed(desk, key)}\n"
        )
    return 0


async def rotate(desk: Desk, given: argparse.Namespace) -> int:
    """Add a signing key, in order or in haste."""
    if given.now:
        return await _replace(desk)
    made = await service.rotate(desk.db, desk.vault, desk.settings)
    if made is None:
        return 1
    sys.stdout.write(
        f"{made.kid} is published and signs from {_written(made.signs_from)}.\n"
        f"The keys before it are published until {_written(made.until)}.\n"
    )
    return 0


async def _replace(desk: Desk) -> int:
    made = await service.replace(desk.db, desk.vault)
    if made is None:
        return 1
    settings = desk.settings
    sys.stdout.write(
        f"{made.kid} signs, and no other key is published any more.\n"
        f"Services learn of it within {settings.signing_keys_cached_s} s, the gateway and collab "
        f"within {settings.jwks_cached_s} s more. Until then what the old keys signed is still "
        "good there, and what the new one signed may be refused. What the gateway has seen before "
        "is good there until it expires.\n"
        "Restart auth, then the gateway and collab, to have it at once. Refresh tokens stay good.\n"
    )
    return 0


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _sealed(desk: Desk, key: types.SigningKey) -> str:
    try:
        desk.vault.unseal(key.sealed, key.kid)
    except SealError:
        return "sealed with a key that is not there"
    is_current = desk.vault.is_current(key.sealed, key.kid)
    return "sealed with the newest key" if is_current else "sealed with an older key"
