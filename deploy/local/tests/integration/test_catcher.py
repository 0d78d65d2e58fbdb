"""The mail catcher: what is sent arrives, and is shown to nobody but this machine."""

import threading
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest

from fleet.catcher import inbox
from fleet.catcher.inbox import Inbox
from fleet.catcher.pages import Server

ANN = "ann@example.org"
ODD = '"a<b"@example.org'


class Catcher:
    """A catcher, and the ways in."""

    def __init__(self, smtp_port: int, page_port: int) -> None:
        self.smtp_port = smtp_port
        self.page_url = f"http://127.0.0.1:{page_port}"

    async def send(self, to: str, subject: str, html: str = "<p>Hello</p>") -> None:
        """Send a mail."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "no-reply@example.org", to, subject
        mail.set_content("Hello <you>\n.\nBye")
        mail.add_alternative(html, subtype="html")
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=self.smtp_port, start_tls=False)

    async def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        async with httpx.AsyncClient(base_url=self.page_url, trust_env=False) as client:
            return await client.request(method, path, headers=headers)


@pytest.fixture
async def catcher() -> AsyncIterator[Catcher]:
    """A catcher on free ports."""
    kept = Inbox()
    async with inbox.listening(kept, 0) as smtp_port:
        with Server(0, kept) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield Catcher(smtp_port, server.server_address[1])
            server.shutdown()
            thread.join()


async def test_what_is_sent_is_shown(catcher: Catcher):
    assert "Nothing yet" in (await catcher.ask("GET", "/")).text
    await catcher.send(ANN, "First")
    await catcher.send(ODD, "Second <b>")
    page = (await catcher.ask("GET", "/")).text
    assert page.index("Second &lt;b&gt;") < page.index("First")
    assert "&lt;b&#34;@example.org" in page
    (mail,) = (await catcher.ask("GET", f"/api/mails?to={ANN.upper()}")).json()
    assert (mail["to"], mail["subject"]) == ([ANN], "First")
    assert mail["text"].splitlines() == ["Hello <you>", ".", "Bye"]
    shown = await catcher.ask("GET", f"/mails/{mail['id']}")
    assert "Hello &lt;you&gt;" in shown.text
    assert len((await catcher.ask("GET", "/api/mails")).json()) == 2


async def test_a_mail_runs_nothing_and_fetches_nothing(catcher: Catcher):
    await catcher.send(ANN, "Evil", "<script>alert(1)</script>")
    (mail,) = (await catcher.ask("GET", "/api/mails")).json()
    framed = await catcher.ask("GET", f"/mails/{mail['id']}/html")
    assert "<script>" in framed.text
    policy = framed.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "<script>" not in (await catcher.ask("GET", f"/mails/{mail['id']}")).text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "[::1"])
async def test_a_page_of_another_name_reads_nothing(catcher: Catcher, host: str):
    await catcher.send(ANN, "Secret")
    for path in ("/", "/api/mails"):
        answer = await catcher.ask("GET", path, host=host)
        assert (answer.status_code, answer.text) == (421, "")
    assert (await catcher.ask("DELETE", "/api/mails", host=host)).status_code == 404
    assert len((await catcher.ask("GET", "/api/mails")).json()) == 1


async def test_an_inbox_is_emptied(catcher: Catcher):
    await catcher.send(ANN, "Old")
    assert (await catcher.ask("DELETE", "/api/mails")).status_code == 204
    assert (await catcher.ask("GET", "/api/mails")).json() == []
    for path in ("/mails/nope", "/mails/nope/html", "/mails", "/etc/passwd", "/api"):
        assert (await catcher.ask("GET", path)).status_code == 404


async def test_an_inbox_keeps_so_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox, "KEPT_MAX", 2)
    kept = Inbox()
    async with inbox.listening(kept, 0) as port:
        for number in range(3):
            await Catcher(port, 0).send(ANN, str(number))
    assert [mail.subject for mail in kept.all()] == ["2", "1"]
