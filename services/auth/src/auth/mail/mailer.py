"""What delivers mails in the background: at once, again and again, and not for ever."""

import asyncio
from email.message import EmailMessage
from typing import cast

import structlog
from litestar import Litestar

from auth.mail import service
from auth.mail.letters import Letters, recipient
from auth.mail.schema import Waiting
from auth.mail.smtp import RefusedError, Smtp
from auth.mail.types import WISH, Postbox, Purpose
from auth.secrets import SealError
from common.database import Database

log = structlog.get_logger()


class Mailer:
    """Delivers the mails of all processes, a few at a time.

    Each is sent once, unless a process dies between the server's word and its own note of it.
    """

    def __init__(self, post: Postbox) -> None:
        self._post = post
        self._letters = Letters(post.settings)
        self._smtp = Smtp(post.settings)
        self._running: set[asyncio.Task[None]] = set()
        self._working: asyncio.Task[None] | None = None
        self._is_closing = False

    async def open(self, app: Litestar) -> None:
        """Begin with the service."""
        settings = self._post.settings
        if not settings.smtp_host:
            log.warning("mail_waits", reason="SMTP_HOST is not set")
        elif not settings.account_pages_url:
            log.info("mail_without_pages", reason="ACCOUNT_PAGES_URL is not set")
        self._working = asyncio.create_task(self._work(app.state.db))

    async def close(self) -> None:
        """Take no more, and let what is under way arrive."""
        self._is_closing = True
        self._post.filled.set()
        if self._working is not None:
            # not in the middle of taking some, which would then be nobody's for a while
            await self._working
        if self._running:
            await asyncio.wait(self._running, timeout=self._post.settings.smtp_timeout_s)
        for task in self._running:
            task.cancel()

    async def _work(self, db: Database) -> None:
        while not self._is_closing:
            room = self._post.settings.mail_parallel_max - len(self._running)
            claimed = await self._claimed(db, room) if room else []
            for waiting in claimed:
                task = asyncio.create_task(self._handle(db, waiting))
                self._running.add(task)
                task.add_done_callback(self._ended)
            if len(claimed) < room or not room:
                await self._rest()

    async def _claimed(self, db: Database, room: int) -> list[Waiting]:
        try:
            return await service.claim(db, self._post, room)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the mails stay in the table
            log.warning("mail_unread", error=repr(exc))
            return []

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._post.settings.mail_poll_s):
                await self._post.filled.wait()
        except TimeoutError:
            pass
        self._post.filled.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._post.filled.set()

    async def _handle(self, db: Database, waiting: Waiting) -> None:
        try:
            reason = await self._delivered(db, waiting)
            if reason:
                told = _told(waiting)
                log.error("mail_dropped", reason=reason, attempts=waiting.attempts - 1, **told)
            await service.remove(db, waiting)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the mail stays in the table
            # without a server that was said once, at the start
            say = log.warning if self._post.settings.smtp_host else log.debug
            say("mail_postponed", error=repr(exc), attempts=waiting.attempts, **_told(waiting))
            await self._postponed(db, waiting)

    async def _postponed(self, db: Database, waiting: Waiting) -> None:
        try:
            await service.postpone(db, self._post, waiting)
        except Exception as exc:  # noqa: BLE001 - it comes again when its lease is over
            log.warning("mail_unread", error=repr(exc))

    async def _delivered(self, db: Database, waiting: Waiting) -> str:
        """Deliver; the answer says why it never can be, or is empty."""
        settings = self._post.settings
        if waiting.is_late:
            return "too late"
        if waiting.attempts > settings.mail_attempts_max:
            return "too many attempts"
        try:
            if waiting.kind.startswith(WISH):
                purpose = cast("Purpose", waiting.kind.removeprefix(WISH))
                await service.fulfil(db, self._post, waiting, purpose)
            else:
                return await self._sent(db, waiting)
        except (RefusedError, SealError) as exc:
            return str(exc)
        return ""

    async def _sent(self, db: Database, waiting: Waiting) -> str:
        settings = self._post.settings
        if not settings.smtp_host:
            raise ConnectionError("SMTP_HOST is not set")
        letter = service.opened(self._post, waiting)
        is_first = waiting.attempts == 1
        if is_first and not await service.is_welcome(db, self._post, waiting.kind, letter):
            return "enough mails to this address"

        def write() -> EmailMessage:
            return self._letters.write(waiting.id, waiting.kind, letter, waiting.created_at)

        sender = self._letters.sender
        async with asyncio.timeout(settings.mail_delivery_s_max):
            to = recipient(letter.to).addr_spec
            await self._smtp.send(write, sender.addr_spec, to, sender.domain)
        log.info("mail_sent", requestId=letter.source.request_id, **_told(waiting))
        return ""


def _told(waiting: Waiting) -> dict[str, object]:
    return {"kind": waiting.kind, "mailId": waiting.id}
