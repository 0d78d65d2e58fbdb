"""What the auth service is told by its environment."""

from typing import Literal, override
from urllib.parse import urlsplit

import common.settings
from common.settings import SettingsError

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class MailSettings(common.settings.Settings, frozen=True, kw_only=True):
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
    # the pages <here>/verify, /reset, /invitation, which get the token as the fragment #token=...;
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
    # to an address that nobody has proven yet, whichever accounts name it
    mails_to_unproven_max: int = 10
    verify_lifetime_s: int = 86_400
    reset_lifetime_s: int = 3_600
    notice_lifetime_s: int = 86_400


class KeySettings(MailSettings, frozen=True, kw_only=True):
    """The service's own keys, those that sign, and who remembers them for how long."""

    # base64 of 32 bytes: seals what is kept whole, and derives the other keys
    key_encryption_key: str
    # such keys, separated by commas or space, that only open: those before it, and one to come
    key_encryption_keys_other: str = ""
    # how long one key signs; 0: until it is replaced by command
    signing_key_lifetime_s: int = 7_776_000
    # how long before it signs a key is published
    signing_key_overlap_s: int = 3_600
    signing_keys_cached_s: int = 60
    # whoever verifies tokens keeps the public keys no longer than this
    jwks_cached_s: int = 300
    # how far the clocks of the fleet's machines may be apart
    clocks_differ_s: int = 60

    def __post_init__(self) -> None:
        """Refuse a key that would sign before everybody has learnt of it."""
        remembered_s = self.signing_keys_cached_s + self.jwks_cached_s
        if self.signing_key_overlap_s < remembered_s:
            raise SettingsError(
                f"SIGNING_KEY_OVERLAP_S must be at least {remembered_s}: for so long"
                " (SIGNING_KEYS_CACHED_S + JWKS_CACHED_S) somebody may not know a new key."
            )
        if 0 < self.signing_key_lifetime_s <= self.signing_key_overlap_s:
            raise SettingsError(
                "SIGNING_KEY_LIFETIME_S must be longer than SIGNING_KEY_OVERLAP_S, or 0."
            )


class PasswordSettings(KeySettings, frozen=True, kw_only=True):
    """What a password costs, and how often it may be wrong."""

    # one hash costs 50 to 100 ms of one processor
    password_memory_kib: int = 47_104
    password_passes: int = 2
    # processes that hash; with fewer than there are processors, one is always left for the others
    password_workers: int = 1
    password_wait_s: float = 2.0
    # of the processes that hash (19 gives way most), so that a storm of logins takes what is left
    password_niceness: int = 10
    # what a hash that was made elsewhere may cost: bcrypt's rounds, argon2's memory times passes
    password_bcrypt_rounds_max: int = 14
    password_imported_kib_max: int = 1_048_576
    # failures count for so long; then, in this time, of one login from one address,
    # different logins from one address, and one login from everywhere
    login_failures_window_s: int = 900
    login_failures_max: int = 5
    login_failures_spread_max: int = 10
    login_failures_everywhere_max: int = 50
    # longer than the dearest kind of hash takes, so that all failures take the same time
    login_failed_s_min: float = 0.5


class OAuthSettings(PasswordSettings, frozen=True, kw_only=True):
    """How people log in through other providers."""

    # pages, by their whole addresses and separated by commas, that a login may lead to; without
    # any the answer to the browser's return is the login itself
    oauth_redirects: str = ""
    # for how long somebody may be at the provider
    oauth_flow_lifetime_s: int = 600
    # one call to a provider, and all that one login makes: the gateway waits for 15 s
    oauth_timeout_s: float = 4.0
    oauth_deadline_s: float = 12.0
    oauth_answer_bytes_max: int = 262_144
    # a provider that does not answer is left alone for so long
    oauth_rest_s: int = 2
    # how old may be: the list of providers; what a provider says of itself; its keys, where one
    # is not among them
    oauth_providers_cached_s: float = 5.0
    oauth_metadata_cached_s: int = 3_600
    oauth_keys_read_again_s: int = 30


class Settings(OAuthSettings, frozen=True, kw_only=True):
    """Every service's settings, and this one's lifetimes and costs."""

    token_issuer: str = "worldloom"
    token_audience: str = "worldloom"
    access_lifetime_s: int = 600
    session_lifetime_s: int = 2_592_000
    refresh_grace_s: int = 60
    # how old the list of sessions that are over may be that gateways are told
    revocations_cached_s: float = 0.1
    # so long a gateway waits for news; and so long after news it does not
    revocations_hold_s: float = 0.5
    # how long the end of a session is not answered because a gateway has not heard of it
    revocation_spread_s_max: float = 2.0
    # a gateway that has not asked for so long is not there any more
    gateway_silent_s: float = 5.0
    ticket_lifetime_s: int = 30
    # how often the service tidies up and sees to its keys, and how much a statement deletes
    upkeep_every_s: float = 300.0
    sweep_rows_max: int = 500
    # how many accounts an import adds with one statement
    import_rows_max: int = 500
    # how long a session is known after its end: its address is still one of its account's
    sessions_kept_s: int = 604_800
    # tickets, mails' tokens and logins elsewhere that nobody came back with
    over_kept_s: int = 3_600
    # how soon what happened is in the ledger, how much of it at once, and how much is read at once
    audit_seal_every_s: float = 0.5
    audit_seal_max: int = 500
    audit_verify_batch: int = 1_000
    api_keys_per_account_max: int = 100
    # how exact ``lastUsedAt`` is: a key that is used all the time is not written all the time
    api_key_used_step_s: int = 60

    @override
    def __post_init__(self) -> None:
        """Refuse to forget a session that ended while its access tokens would still be taken."""
        super().__post_init__()
        tokens_s = self.access_lifetime_s + self.clocks_differ_s
        if self.sessions_kept_s < 2 * tokens_s:
            raise SettingsError(
                f"SESSIONS_KEPT_S must be at least {2 * tokens_s}: twice what a token lasts"
                " (ACCESS_LIFETIME_S + CLOCKS_DIFFER_S)."
            )

    @property
    def are_cookies_secure(self) -> bool:
        """Browsers keep a Secure cookie from plain HTTP, which nobody but this machine may use."""
        address = urlsplit(self.gateway_url)
        return address.scheme != "http" or address.hostname not in _HERE
