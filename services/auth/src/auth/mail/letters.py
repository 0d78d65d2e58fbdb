"""Mails as they are written: plain text and HTML, from the templates beside this module."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from auth.mail.types import INVITATION, Letter
from auth.settings import Settings
from common.settings import SettingsError

_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S
_SUBJECTS = {
    "verify": "Confirm your e-mail address",
    "change": "Confirm your new e-mail address",
    "reset": "Set a new password",
    "email_asked": "Your e-mail address is about to change",
    "email_changed": "Your e-mail address was changed",
    "password_changed": "Your password was changed",
    "password_reset": "Your password was reset",
    "identity_linked": "A new way to log in to your account",
    "identity_unlinked": "A way to log in to your account was removed",
    # nobody's words but ours: a project may be called anything
    INVITATION: "You are invited to a project",
}
# the page of the editor, and the call, that take the token
_PLACES = {
    "verify": ("verify", "/api/v1/auth/verify"),
    "change": ("verify", "/api/v1/auth/verify"),
    "reset": ("reset", "/api/v1/auth/password/reset"),
    INVITATION: ("invitation", "/api/v1/invitations/{token}/accept"),
}
# what mail programs make links of has one of these in it, and something after it
_JOINTS = re.compile(r"(?<=[.:/\\@\u3002\uff0e\uff61])(?=\S)")


class Letters:
    """What writes mails. It names people by their username: other names are strangers' words."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.sender = _sender(settings.mail_from)
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["unlinked"] = unlinked
        # whatever does not compile is found at the start
        for name in self._templates.list_templates():
            self._templates.get_template(name)

    def write(self, mail_id: UUID, kind: str, letter: Letter, at: datetime) -> EmailMessage:
        """Write a mail; the same mail is the same message however often it is sent."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = recipient(letter.to)
        message["Subject"] = _SUBJECTS[kind]
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{mail_id}@{self.sender.domain}>"
        # no machine answers it (RFC 3834)
        message["Auto-Submitted"] = "auto-generated"
        known = self._known(kind, letter, at)
        message.set_content(self._templates.get_template(f"{kind}.txt").render(known))
        page = self._templates.get_template(f"{kind}.html").render(known)
        message.add_alternative(page, subtype="html")
        return message

    def _known(self, kind: str, letter: Letter, at: datetime) -> dict[str, object]:
        settings = self._settings
        page, path = _PLACES.get(kind, ("", ""))
        pages = settings.account_pages_url.rstrip("/")
        # behind a # it reaches no server's log, and no other site
        link = f"{pages}/{page}#token={quote(letter.token)}" if pages and page else ""
        given = {"reset": settings.reset_lifetime_s, INVITATION: letter.facts.get("lifetime_s")}
        lifetime_s = int(given.get(kind) or settings.verify_lifetime_s)
        return {
            "subject": _SUBJECTS[kind],
            "username": letter.username,
            "token": letter.token,
            "link": link,
            "call": f"{settings.gateway_url.rstrip('/')}{path.format(token=quote(letter.token))}",
            "lifetime": _span(lifetime_s),
            "brand": self.sender.display_name or self.sender.domain,
            "address": letter.source.address,
            "at": f"{at:%Y-%m-%d %H:%M} UTC",
            "facts": letter.facts,
        }


def unlinked(words: str) -> str:
    """A stranger's words, so that no program makes a link of them, nor a line, nor turns them."""
    shown = "".join(each if each.isprintable() else " " for each in words)
    return _JOINTS.sub(" ", shown)


def _span(seconds: int) -> str:
    if seconds >= 2 * _DAY_S and seconds % _DAY_S == 0:
        return f"{seconds // _DAY_S} days"
    number, unit = (seconds // _HOUR_S, "hour") if seconds >= _HOUR_S else (seconds // 60, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def recipient(email: str) -> Address:
    """The address in parts, so that whatever is before the @ is quoted where it has to be."""
    local, _, domain = email.rpartition("@")
    return Address(username=local, domain=domain)


def _sender(given: str) -> Address:
    try:
        # as a header is read: `Name <name@example.org>`, or the address alone
        header = SMTP.header_factory("From", given)
        (sender,) = header.addresses
    except (ValueError, IndexError) as exc:
        raise SettingsError(f"MAIL_FROM is no address: {given!r}.") from exc
    if header.defects or not sender.domain or not sender.addr_spec.isascii():
        raise SettingsError(f"MAIL_FROM is no address: {given!r}.")
    return Address(sender.display_name, sender.username, sender.domain)
