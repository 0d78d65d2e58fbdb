"""The inbox in a browser, and as JSON for tests; on this machine alone."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override
from urllib.parse import parse_qs, urlsplit

import msgspec
from jinja2 import Environment, FileSystemLoader, select_autoescape

from fleet.catcher.inbox import Inbox, Mail
from fleet.ports import LOOPBACK

# another name that leads here is another site's, whose pages may not read this
NAMES = frozenset({"localhost", LOOPBACK})
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape()
)
_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
# a mail's own page runs nothing and fetches nothing; its links open elsewhere
_SANDBOX = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; img-src data:"
)
_OURS = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'"


class Server(ThreadingHTTPServer):
    """Shows one inbox."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, inbox: Inbox) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.inbox = inbox


class _Handler(BaseHTTPRequestHandler):
    """``/``, ``/mails/<id>``, ``/mails/<id>/html``, and ``/api/mails?to=`` to read or to empty."""

    server: Server

    def do_GET(self) -> None:
        """Show the inbox, or a mail."""
        address = urlsplit(self.path)
        inbox = self.server.inbox
        if not self._is_here():
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"")
            return
        match address.path.strip("/").split("/"):
            case [""]:
                self._page("list.html", mails=inbox.all())
            case ["health"]:
                self._answer(HTTPStatus.OK, "text/plain", b"")
            case ["api", "mails"]:
                to = parse_qs(address.query).get("to", [""])[0]
                self._answer(HTTPStatus.OK, _JSON, msgspec.json.encode(inbox.all(to)))
            case ["mails", mail_id, *rest] if rest in ([], ["html"]):
                self._mail(inbox.one(mail_id), is_framed=bool(rest))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"")

    def do_DELETE(self) -> None:
        """Empty the inbox."""
        is_it = self._is_here() and self.path == "/api/mails"
        if is_it:
            self.server.inbox.empty()
        self._answer(HTTPStatus.NO_CONTENT if is_it else HTTPStatus.NOT_FOUND, _JSON, b"")

    def _is_here(self) -> bool:
        return self.headers.get("host", "").partition(":")[0].lower() in NAMES

    def _mail(self, mail: Mail | None, *, is_framed: bool) -> None:
        if mail is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"")
        elif is_framed:
            self._answer(HTTPStatus.OK, _HTML, mail.html.encode(), _SANDBOX)
        else:
            self._page("mail.html", mail=mail)

    def _page(self, name: str, **known: object) -> None:
        body = _TEMPLATES.get_template(name).render(known).encode()
        self._answer(HTTPStatus.OK, _HTML, body, _OURS)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, policy: str = _OURS) -> None:
        self.send_response(status)
        headers = {
            "content-type": kind,
            "content-length": str(len(body)),
            "content-security-policy": policy,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_: object) -> None:
        """Whoever looks at the inbox is nobody's business."""
