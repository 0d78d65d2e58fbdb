"""The mail catcher in the fleet: what auth sends goes there, and no further."""

from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Probe, Process

NAME = "mail"


def processes(context: Context) -> list[Process]:
    """Return the catcher; nothing needs it to be ready, because mails wait."""
    ports = context.ports
    return [
        Process(
            name=NAME,
            command=(PYTHON, "-m", "fleet.catcher"),
            environment=context.environment(
                SMTP_PORT=str(ports.mail), PAGE_PORT=str(ports.mail_page)
            ),
            probe=Probe(port=ports.mail_page, path="/health"),
        )
    ]


def settings(context: Context) -> dict[str, str]:
    """Return what a service is told that sends mails."""
    return {
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(context.ports.mail),
        "SMTP_TLS": "none",
        "MAIL_FROM": "Worldloom <no-reply@worldloom.example>",
    }


def url(context: Context) -> str:
    """Return the address of the inbox."""
    return f"http://localhost:{context.ports.mail_page}"
