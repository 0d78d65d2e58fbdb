"""What is wrong with a provider is said before it is kept."""

import argparse
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from auth.operation import Desk
from auth.providers import command
from auth.secrets import Vault
from auth.settings import Settings
from common.database import Database
from common.errors import InvalidError
from common.settings import load

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
SECRET = "the secret that only the two know"
ISSUER = ("--issuer", "https://login.example.org")
CLIENT_ID = ("--client-id", "id-1")
TOLD = {
    "DATABASE_URL": "postgresql://nobody@localhost:1/nothing",
    "NATS_URL": "nats://localhost:1",
    "FLEET_SECRET": "none",
    "KEY_ENCRYPTION_KEY": KEY,
}


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    """What a command works with; there is no database at the other end."""
    settings = load(Settings, TOLD)
    db = await Database.connect(settings.database_url, pool_size=1, wait_s=1, statement_s_max=1)
    yield Desk(settings, db, Vault(KEY))
    await db.close()


async def _set(desk: Desk, *arguments: str) -> None:
    parser = argparse.ArgumentParser()
    command.offer(parser.add_subparsers())
    given = parser.parse_args(["set-provider", *arguments])
    await given.operation(desk, given)


WRONG: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no issuer": ("p", CLIENT_ID, "--issuer"),
    "an issuer in the open": ("p", ("--issuer", "http://a.example.org", *CLIENT_ID), "https"),
    "an issuer that is no address": ("p", ("--issuer", "login", *CLIENT_ID), "https"),
    "an issuer with a password": ("p", ("--issuer", "https://a:b@c.org", *CLIENT_ID), "https"),
    "an issuer with a fragment": ("p", ("--issuer", "https://a.org/#x", *CLIENT_ID), "https"),
    "an issuer with no host": ("p", ("--issuer", "https:///x", *CLIENT_ID), "https"),
    "a name with a space": ("p x", (*ISSUER, *CLIENT_ID), "no name"),
    "a name in capitals": ("GitHub", (*ISSUER, *CLIENT_ID), "no name"),
    "a name that leads elsewhere": ("../x", (*ISSUER, *CLIENT_ID), "no name"),
    "a name with a line break": ("p\n", (*ISSUER, *CLIENT_ID), "no name"),
    "a long name": ("x" * 33, (*ISSUER, *CLIENT_ID), "no name"),
    "no name": ("", (*ISSUER, *CLIENT_ID), "no name"),
    "a GitHub with an issuer": ("github", (*ISSUER, *CLIENT_ID), "no issuer"),
    "a site of an OpenID provider": (
        *("p", (*ISSUER, "--site", "https://a.org", *CLIENT_ID), "itself"),
    ),
    "an API in the open": ("github", ("--api", "http://a.org", *CLIENT_ID), "https"),
}


@pytest.mark.parametrize(("name", "options", "says"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_with_a_provider_is_said(
    desk: Desk, tmp_path: Path, name: str, options: tuple[str, ...], says: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    with pytest.raises(InvalidError, match=says) as found:
        await _set(desk, name, "--secret-file", str(file), *options)
    assert SECRET not in str(found.value)


@pytest.mark.parametrize("options", [(*ISSUER, *CLIENT_ID, "--kind", "saml"), ISSUER])
async def test_an_option_that_is_none_is_no_provider(
    desk: Desk, tmp_path: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        await _set(desk, "p", "--secret-file", str(tmp_path), *options)
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"  \n", b"two\nlines", b"\xff", b"x" * 5_000, None])
async def test_a_secret_is_one_line_of_text(
    desk: Desk, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidError, match="secret"):
        await _set(desk, "p", "--secret-file", str(file), *ISSUER, *CLIENT_ID)
