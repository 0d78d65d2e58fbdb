"""What the auth service is told by its environment."""

from urllib.parse import urlsplit

import common.settings

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and this one's lifetimes and costs."""

    # base64 of 32 bytes: seals the signing keys, and derives the other keys
    key_encryption_key: str
    token_issuer: str = "worldloom"
    token_audience: str = "worldloom"
    access_lifetime_s: int = 600
    session_lifetime_s: int = 2_592_000
    refresh_grace_s: int = 60
    ticket_lifetime_s: int = 30
    tickets_swept_max: int = 64
    signing_keys_cached_s: int = 60
    jwks_cached_s: int = 300
    password_memory_kib: int = 47_104
    password_passes: int = 2
    password_workers: int = 2
    password_wait_s: float = 2.0
    api_keys_per_account_max: int = 100
    # how exact ``lastUsedAt`` is: a key that is used all the time is not written all the time
    api_key_used_step_s: int = 60

    @property
    def are_cookies_secure(self) -> bool:
        """Browsers keep a Secure cookie from plain HTTP, which nobody but this machine may use."""
        address = urlsplit(self.gateway_url)
        return address.scheme != "http" or address.hostname not in _HERE
