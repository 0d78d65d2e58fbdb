"""The mail catcher as a process: ``python -m fleet.catcher``."""

import asyncio
import signal
import threading

import msgspec

from common.settings import load
from fleet.catcher.inbox import Inbox, listening
from fleet.catcher.pages import Server


class CatcherSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, on this machine's own address."""

    smtp_port: int
    page_port: int


def main() -> None:
    """Take mails until a signal says to stop."""
    asyncio.run(_run(load(CatcherSettings)))


async def _run(settings: CatcherSettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    inbox = Inbox()
    async with listening(inbox, settings.smtp_port):
        with Server(settings.page_port, inbox) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            await stopping.wait()
            server.shutdown()


if __name__ == "__main__":
    main()
