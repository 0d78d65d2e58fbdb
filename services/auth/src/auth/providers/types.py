"""What is known of a provider: somebody else who may say who somebody is."""

import re
from typing import Literal
from urllib.parse import urlsplit

import msgspec

type Kind = Literal["github", "oidc"]

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
# what needs not be said of the great ones
KINDS: dict[str, Kind] = {"github": "github"}
ISSUERS = {"google": "https://accounts.google.com"}
GITHUB = {"site": "https://github.com", "api": "https://api.github.com"}
SCOPES: dict[Kind, list[str]] = {
    "github": ["read:user", "user:email"],
    "oidc": ["openid", "email", "profile"],
}


class Provider(msgspec.Struct, frozen=True):
    """A provider as it is kept. ``urls`` has an ``issuer``, or GitHub's ``site`` and ``api``."""

    name: str
    kind: str
    urls: dict[str, str]
    client_id: str
    sealed_secret: bytes
    scopes: list[str]


def sealed_as(name: str) -> str:
    """The name that a provider's secret is sealed under."""
    return f"provider:{name}"


def may_name(place: str, url: str) -> bool:
    """Whether a provider at ``place`` may send us to ``url``; to this machine if it is on it."""
    return is_safe(url) and (_is_here(place) or not _is_here(url))


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in _HERE


def is_safe(url: str) -> bool:
    """Whether secrets may be sent to this address: by HTTPS, or without leaving this machine."""
    try:
        parts = urlsplit(url)
        is_local = parts.hostname in _HERE
        # reading it is what refuses a port that is none
        parts.port  # noqa: B018 - likewise
    except ValueError:
        return False
    if parts.username is not None or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_local)
