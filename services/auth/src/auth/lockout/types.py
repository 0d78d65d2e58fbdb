"""Where attempts to log in come from, and what is kept of what was tried."""

import hashlib
import ipaddress
from uuid import UUID

import msgspec

from auth.accounts.schema import User

# beside real addresses: an account's failures from all of them together
EVERYWHERE = "*"
_IPV6_PREFIX = 64
_TEXT_MAX = 64


class Tried(msgspec.Struct, frozen=True):
    """What a failure is counted for: the account, as a hash, or else what was typed; and where."""

    login: bytes
    address: str


class Proven(msgspec.Struct, frozen=True):
    """Somebody whose password was right, and what the statement that lets them in has to do.

    It forgets the failures of ``tried``, holds only while ``kept`` is the account's hash, and
    puts ``renewed`` in its place if there is one.
    """

    user: User
    tried: Tried
    kept: str
    renewed: str | None


def typed(login: str) -> bytes:
    """What is kept of a login that no account has. Of an account's it is ``known``."""
    return hashlib.sha256(login.lower().encode("utf-8", "replace")).digest()


def known(account_id: UUID) -> bytes:
    """What is kept of an account's login: one and the same for its e-mail and its username."""
    return hashlib.sha256(account_id.bytes).digest()


def place_of(address: str) -> str:
    """Whom an address stands for: with IPv6 a household has a whole /64 network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:_TEXT_MAX]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _IPV6_PREFIX), strict=False))
