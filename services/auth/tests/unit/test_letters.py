"""Mails as they are written, whatever is in them."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import get_args

import pytest

from auth.mail.letters import Letters, recipient, unlinked
from auth.mail.smtp import Smtp
from auth.mail.types import INVITATION, Letter, Notice, Purpose, Source
from auth.settings import Settings
from common.ids import uuid7
from common.settings import SettingsError, load

_ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nowhere",
    "FLEET_SECRET": "x",
    "NATS_URL": "nats://nowhere",
    "KEY_ENCRYPTION_KEY": "x",
}
TELLING = [*get_args(Purpose.__value__), INVITATION]
KINDS = [*TELLING, *get_args(Notice.__value__)]
HOSTILE = "<script>alert(1)</script>\r\nBcc: everybody@example.org\r\n\r\n{{ 7 * 7 }}"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def told(**other: str) -> Settings:
    """Some settings."""
    return load(Settings, _ENVIRONMENT | other)


def written(kind: str, letter: Letter, **other: str) -> EmailMessage:
    """A mail as it is sent."""
    return Letters(told(**other)).write(uuid7(), kind, letter, AT)


def text_of(message: EmailMessage, kind: str) -> str:
    """The plain or the other half of a mail."""
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_in_a_mail_stays_text(kind: str) -> None:
    facts = {"email": HOSTILE, "provider": HOSTILE, "ways": "kept", "lifetime_s": "600"}
    facts |= {"by": HOSTILE, "project": HOSTILE}
    letter = Letter("ann@example.org", HOSTILE, Source("", HOSTILE), HOSTILE, facts)
    message = written(kind, letter)
    assert message["To"] == "ann@example.org"
    assert message["Bcc"] is None
    assert message["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert "alert(1)" in text_of(message, "plain")
    page = text_of(message, "html")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "49" not in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_has_whole_sentences_in_both_forms(kind: str) -> None:
    facts = {"email": "new@example.org", "provider": "github", "ways": "gone"}
    facts |= {"by": "bob", "project": "Pong", "lifetime_s": "604800"}
    letter = Letter("ann@example.org", "ann", Source("", "192.0.2.7"), "t0ken", facts)
    message = written(kind, letter)
    assert message["Subject"]
    assert message["From"] == "Worldloom <no-reply@localhost>"
    plain, page = text_of(message, "plain"), text_of(message, "html")
    for text in (plain, page):
        assert "Hello ann," in text
        assert "{{" not in text
        assert "{%" not in text
    assert ("t0ken" in plain) == (kind in TELLING)
    assert max(len(line) for line in plain.splitlines() if "curl" not in line) < 160


def test_the_same_mail_is_the_same_message() -> None:
    letter, letters, mail_id = Letter("ann@example.org", "ann", Source()), Letters(told()), uuid7()
    ids = {letters.write(mail_id, "password_changed", letter, AT)["Message-ID"] for _ in range(2)}
    assert ids == {f"<{mail_id}@localhost>"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(3_600, "1 hour."), (86_400, "24 hours."), (600, "10 minutes.")]
)
def test_a_mail_says_how_long_it_is_good(seconds: int, words: str) -> None:
    message = written(
        "reset", Letter("a@example.org", "a", Source(), "t"), RESET_LIFETIME_S=str(seconds)
    )
    assert f"good once, for {words}" in text_of(message, "plain")


def test_a_link_has_its_token_where_no_server_sees_it() -> None:
    letter = Letter("a@example.org", "a", Source(), "t/?&#t")
    plain = text_of(written("reset", letter, ACCOUNT_PAGES_URL="https://e.example/"), "plain")
    assert "https://e.example/reset#token=t/%3F%26%23t" in plain


def test_an_invitation_says_who_invites_whom_to_what_and_how_it_is_accepted() -> None:
    facts = {"by": "bob", "project": "Pong", "lifetime_s": "604800"}
    letter = Letter("ann@example.org", "", Source(), "t0ken", facts)
    pages = {"ACCOUNT_PAGES_URL": "https://e.example/", "GATEWAY_URL": "https://api.example"}
    for kind in ("plain", "html"):
        text = text_of(written(INVITATION, letter, **pages), kind)
        assert "https://e.example/invitation#token=t0ken" in text
        assert "Hello," in text
        assert "good once, for 7 days" in text
        bare = text_of(written(INVITATION, letter, GATEWAY_URL="https://api.example"), kind)
        assert "https://api.example/api/v1/invitations/t0ken/accept" in bare


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        ("Pong", "Pong"),
        ("Pong: the game", "Pong: the game"),
        ("http://evil.example", "http: / / evil. example"),
        ("www.evil.example/x?y", "www. evil. example/ x?y"),
        ("me@evil.example", "me@ evil. example"),
        ("evil\u3002example \u202elatigid", "evil\u3002 example  latigid"),
    ],
)
def test_a_stranger_s_words_are_no_link(called: str, shown: str) -> None:
    assert unlinked(called) == shown


@pytest.mark.parametrize(
    ("email", "sent_to"),
    [
        ("ann@example.org", "ann@example.org"),
        ("a<b@example.org", '"a<b"@example.org'),
        ("a,b@example.org", '"a,b"@example.org'),
        ('a"b\\@example.org', '"a\\"b\\\\"@example.org'),
        ("(x)a@example.org", '"(x)a"@example.org'),
        ("jürgen@example.org", "jürgen@example.org"),
    ],
)
def test_an_address_is_quoted_where_it_has_to_be(email: str, sent_to: str) -> None:
    assert recipient(email).addr_spec == sent_to


@pytest.mark.parametrize(
    "given", ["", "nobody", "a@b@c", "a@x.org, b@x.org", "x@", "<>", "ä@x.org", "A\n<a@x.org>"]
)
def test_a_sender_is_an_address(given: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        Letters(told(MAIL_FROM=given))


def test_a_password_is_not_sent_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="SMTP_TLS"):
        Smtp(told(SMTP_HOST="mail.example.org", SMTP_USER="x", SMTP_TLS="none"))
