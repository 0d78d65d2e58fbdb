"""What the auth service is told by its environment."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

import common.settings

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How mails leave, and how long anybody cares for them."""

    # without a server mails wait, and those that nobody wants to read any more are dropped
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password: str = ""
    # `tls` from the first byte, `starttls` or nothing at all
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_timeout_s: float = 10.0
    mail_from: str = "Worldloom <no-reply@localhost>"
    # the pages <here>/verify and <here>/reset, which get the token as the fragment #token=...;
    # without them a mail names the call that takes its token
    account_pages_url: str = ""
    mail_parallel_max: int = 4
    mail_poll_s: float = 1.0
    # the whole of one delivery; who crashes in the middle lets it happen again after twice that
    mail_delivery_s_max: float = 30.0
    mail_attempts_max: int = 100
    mail_retry_s: float = 2.0
    mail_retry_s_max: float = 900.0
    # of one purpose, to one account
    mails_per_hour_max: int = 5
    verify_lifetime_s: int = 86_400
    reset_lifetime_s: int = 3_600
    notice_lifetime_s: int = 86_400


class Settings(common.settings.Settings, MailSettings, frozen=True, kw_only=True):
    """Every service's settings, and this one's lifetimes and costs."""

    # base64 of 32 bytes: seals what is kept whole, and derives the other keys
    key_encryption_key: str
    # such keys, separated by commas or space, that only open: those before it, and one to come
    key_encryption_keys_other: str = ""
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
