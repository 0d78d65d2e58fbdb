"""A signing key's life: it is published, then it signs, then it is only published, then gone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

type Phase = Literal["coming", "signing", "leaving", "gone"]


class SigningKey(msgspec.Struct, frozen=True):
    """A key as it is kept."""

    kid: str
    public: dict[str, Any]
    sealed: bytes
    created_at: datetime
    signs_from: datetime
    published_until: datetime | None

    def is_published(self, now: datetime) -> bool:
        """Whether tokens that it signed are to be trusted."""
        return self.published_until is None or now < self.published_until


def published(keys: Iterable[SigningKey], now: datetime) -> list[SigningKey]:
    """The keys that everybody may know at that time, the newest first."""
    return [key for key in _newest_first(keys) if key.is_published(now)]


def signing(keys: Iterable[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs at that time: time alone decides, so every replica says the same."""
    known = published(keys, now)
    begun = [key for key in known if key.signs_from <= now]
    if begun:
        return begun[0]
    # the first of all keys, where this clock is a little behind the one that dated it
    return known[-1] if known else None


def phase(key: SigningKey, keys: Iterable[SigningKey], now: datetime) -> Phase:
    """Where a key is in its life."""
    if not key.is_published(now):
        return "gone"
    signer = signing(keys, now)
    if signer is not None and key.kid == signer.kid:
        return "signing"
    return "coming" if key.signs_from > now else "leaving"


def _newest_first(keys: Iterable[SigningKey]) -> list[SigningKey]:
    return sorted(keys, key=lambda key: (key.created_at, key.kid), reverse=True)
