"""The way to an SMTP server: encrypted, to the server that was meant, as who was named."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auth.mail.smtp import Smtp
from auth.settings import Settings
from common.settings import load
from common.testing.apps import environment
from fleet.catcher.inbox import Inbox

PASSWORD = "open sesame"
TO = "ann@example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Server(Inbox):
    """A server that wants to be talked to in secret, by somebody it knows."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(certificate)
        self.names: list[bytes] = []

    @asynccontextmanager
    async def open(self, *, is_wrapped: bool) -> AsyncGenerator[int]:
        """Listen: TLS from the first byte, or after STARTTLS."""
        loop = asyncio.get_running_loop()
        started = None if is_wrapped else self.tls

        def connected() -> SMTP:
            return SMTP(
                self,
                hostname="localhost",
                loop=loop,
                tls_context=started,
                require_starttls=not is_wrapped,
                # it would warn: it does not see that the connection itself is encrypted
                auth_required=not is_wrapped,
                auth_require_tls=not is_wrapped,
                authenticator=self.authenticate,
            )

        wrapped = self.tls if is_wrapped else None
        server = await loop.create_server(connected, "localhost", 0, ssl=wrapped)
        yield server.sockets[0].getsockname()[1]
        server.close()
        server.abort_clients()
        await server.wait_closed()

    def authenticate(self, *given: object) -> AuthResult:
        """Let in who knows the password."""
        proof = given[-1]
        is_right = isinstance(proof, LoginPassword) and proof.password == PASSWORD.encode()
        if isinstance(proof, LoginPassword):
            self.names.append(proof.login)
        return AuthResult(success=is_right, handled=False)


def message() -> EmailMessage:
    """Some mail."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "no-reply@example.org", TO, "Hello"
    made.set_content("Hello.")
    return made


def way(port: int, tls: str, *, trusts: Path | None, password: str = PASSWORD) -> Smtp:
    """The way to a server on this machine, as the settings describe it."""
    told = {
        "DATABASE_URL": "postgresql://nowhere",
        "FLEET_SECRET": "x",
        "NATS_URL": "nats://nowhere",
        "KEY_ENCRYPTION_KEY": "x",
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(port),
        "SMTP_TLS": tls,
        "SMTP_TIMEOUT_S": "5",
        "SMTP_USER": "fleet",
        "SMTP_PASSWORD": password,
    }
    # where OpenSSL looks for those it trusts, in every program
    with environment({"SSL_CERT_FILE": str(trusts)} if trusts else {}):
        return Smtp(load(Settings, told))


async def send(smtp: Smtp) -> None:
    """Bring some mail."""
    await smtp.send(message, "no-reply@example.org", TO, "example.org")


@pytest.mark.parametrize(("tls", "is_wrapped"), [("starttls", False), ("tls", True)])
async def test_a_mail_travels_encrypted_and_as_somebody(
    certificate: Path, tls: str, *, is_wrapped: bool
) -> None:
    server = Server(certificate)
    async with server.open(is_wrapped=is_wrapped) as port:
        await send(way(port, tls, trusts=certificate))
    (mail,) = server.all(TO)
    assert (mail.subject, mail.text.strip()) == ("Hello", "Hello.")
    assert server.names == [b"fleet"]


@pytest.mark.parametrize(("tls", "is_wrapped"), [("starttls", False), ("tls", True)])
async def test_nothing_is_told_to_a_server_that_nobody_vouches_for(
    certificate: Path, tls: str, *, is_wrapped: bool
) -> None:
    server = Server(certificate)
    async with server.open(is_wrapped=is_wrapped) as port:
        with pytest.raises((aiosmtplib.SMTPException, ssl.SSLError, OSError)):
            await send(way(port, tls, trusts=None))
    assert (server.all(), server.names) == ([], [])


async def test_a_server_without_encryption_is_told_nothing(certificate: Path) -> None:
    plain = Server(certificate)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(plain, hostname="localhost", loop=loop), "localhost", 0
    )
    port = listening.sockets[0].getsockname()[1]
    with pytest.raises(aiosmtplib.SMTPException):
        await send(way(port, "starttls", trusts=certificate))
    listening.close()
    listening.abort_clients()
    await listening.wait_closed()
    assert (plain.all(), plain.names) == ([], [])


async def test_a_wrong_password_is_worth_another_try(certificate: Path) -> None:
    server = Server(certificate)
    async with server.open(is_wrapped=False) as port:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await send(way(port, "starttls", trusts=certificate, password="wrong"))
    assert server.all() == []
