"""The way to the SMTP server that was named."""

import ssl
from collections.abc import Callable
from email.message import EmailMessage

import aiosmtplib

from auth.settings import Settings
from common.settings import SettingsError

_PERMANENT = 500


class RefusedError(Exception):
    """The server will never take this mail."""


class Smtp:
    """Brings one mail at a time, each over a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        if settings.smtp_tls == "none" and settings.smtp_user:
            raise SettingsError("SMTP_TLS=none would send SMTP_PASSWORD in the clear.")
        self._settings = settings
        self._tls = ssl.create_default_context()

    async def send(
        self, write: Callable[[], EmailMessage], sender: str, to: str, greeting: str
    ) -> None:
        """Bring a mail, written once there is a server that takes it.

        Raises ``RefusedError`` where trying again is no use.
        """
        try:
            async with self._client(greeting) as client:
                await client.send_message(write(), sender=sender, recipients=[to])
        except aiosmtplib.SMTPRecipientsRefused as exc:
            # the server's words name the recipient: they stay out of the log
            codes = [one.code for one in exc.recipients]
            if min(codes) >= _PERMANENT:
                raise RefusedError(f"recipient refused with {codes[0]}") from None
            raise aiosmtplib.SMTPException(f"recipient put off with {codes[0]}") from None
        except aiosmtplib.SMTPDataError as exc:
            if exc.code >= _PERMANENT:
                raise RefusedError(f"mail refused with {exc.code}") from None
            raise
        except aiosmtplib.SMTPNotSupported as exc:
            if to.isascii():
                raise
            raise RefusedError("the server takes no such address") from exc

    def _client(self, greeting: str) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password if settings.smtp_user else None,
            local_hostname=greeting,
            timeout=settings.smtp_timeout_s,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=self._tls if settings.smtp_tls != "none" else None,
        )
