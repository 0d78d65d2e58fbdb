"""Providers, as operators set, list and remove them."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from services.auth.tests.browser import Browser, whose
from services.auth.tests.desk import Desk, code
from services.auth.tests.elsewhere import callback_url, offer
from services.auth.tests.impostor import CLIENT, SECRET, Impostor
from services.auth.tests.operation import operate
from services.auth.tests.standin import Standin

from auth.auditing import OPERATOR
from common.settings import SettingsError
from common.testing.apps import Serving

ISSUER = ("--issuer", "https://login.example.org")
CLIENT_ID = ("--client-id", "id-1")


async def test_a_provider_is_set_listed_and_removed(
    told: dict[str, str], desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    name = f"p-{desk.mark}"
    done = await offer(told, tmp_path, name, SECRET, *ISSUER, *CLIENT_ID)
    assert (done.code, done.err) == (0, "")
    assert callback_url(told)(name) in done.out
    listed = await operate(told, "providers")
    [line] = [line for line in listed.out.splitlines() if line.startswith(f"{name} ")]
    assert line.split() == [
        *(name, "oidc", "https://login.example.org", "id-1", "openid", "email", "profile")
    ]
    buttons = (await browser.get("/api/v1/auth/oauth")).json()["data"]
    assert {"name": name, "kind": "oidc"} in buttons
    # the secret is nowhere to be seen
    kept = await desk.one(
        "SELECT provider::text AS value FROM provider WHERE name = :name", sa.Text(), name=name
    )
    for text in (done.out, listed.out, kept):
        assert SECRET not in text
        assert SECRET.encode().hex() not in text
    more = (*ISSUER, "--client-id", "id-2", "--scope", "openid", "--scope", "email")
    changed = await operate(
        told, "set-provider", name, "--secret-file", "-", *more, typed="another secret\n"
    )
    assert (changed.code, changed.err) == (0, "")
    assert "another secret" not in changed.out
    listed = await operate(told, "providers")
    assert f"{name}  oidc  https://login.example.org  id-2  openid email\n" in listed.out
    removed = await operate(told, "remove-provider", name)
    assert (removed.code, removed.err) == (0, "")
    assert name not in (await operate(told, "providers")).out
    again = await operate(told, "remove-provider", name)
    assert again.code == 1
    assert "There is no provider" in again.err
    assert await desk.deeds("name", name) == ["provider.set", "provider.set", "provider.removed"]
    assert code(await browser.authorize(name)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "kind", "where", "scopes"),
    [
        ("google", "oidc", "https://accounts.google.com", "openid email profile"),
        ("github", "github", "https://github.com  https://api.github.com", "read:user user:email"),
    ],
)
async def test_the_great_ones_are_known(
    told: dict[str, str], tmp_path: Path, name: str, kind: str, where: str, scopes: str
) -> None:
    # another test may have set it, and people may have come that way
    await operate(told, "remove-provider", name, "--with-identities")
    assert (await offer(told, tmp_path, name, SECRET, *CLIENT_ID)).code == 0
    listed = await operate(told, "providers")
    assert f"{name}  {kind}  {where}  id-1  {scopes}\n" in listed.out
    assert (await operate(told, "remove-provider", name)).code == 0


async def test_a_number_is_nobody_s_at_another_place(
    told: dict[str, str],
    desk: Desk,
    standin: Standin,
    browser: Browser,
    tmp_path: Path,
) -> None:
    """Whoever is number seven at one issuer is somebody else than number seven at another."""
    name = f"p-{desk.mark}"
    options = ("--issuer", standin.url, "--client-id", CLIENT)
    assert (await offer(told, tmp_path, name, SECRET, *options)).code == 0
    impostor = Impostor(standin, name)
    ann = whose(await impostor.log_in(browser))
    moved = await offer(told, tmp_path, name, SECRET, *ISSUER, *CLIENT_ID)
    assert moved.code == 1
    assert "somebody else" in moved.err
    # at the same place anything else may change
    assert (await offer(told, tmp_path, name, SECRET, *options, "--scope", "openid")).code == 0
    assert whose(await impostor.log_in(browser)).id == ann.id
    kept = await operate(told, "remove-provider", name)
    assert kept.code == 1
    assert "--with-identities" in kept.err
    assert whose(await impostor.log_in(browser)).id == ann.id
    removed = await operate(told, "remove-provider", name, "--with-identities")
    assert (removed.code, removed.err) == (0, "")
    assert "1 identities" in removed.out
    listed = await desk.call("GET", "/api/v1/users/me/identities", ann)
    assert listed.json()["data"] == []
    assert (await desk.subjects(ann))[-1] == "identity.unlinked"
    audit = await desk.call("GET", "/api/v1/users/me/audit?action=identity.unlinked", ann)
    assert [entry["actorId"] for entry in audit.json()["data"]] == [str(OPERATOR)]
    assert (await offer(told, tmp_path, name, SECRET, *ISSUER, *CLIENT_ID)).code == 0


@pytest.mark.parametrize(
    "redirects",
    ["http://a.example.org/", "https://a.example.org/,nothing", "https://a.org/#x", "*"],
)
async def test_pages_that_a_login_leads_to_are_safe(serve: Serving, redirects: str) -> None:
    with pytest.raises(SettingsError, match="OAUTH_REDIRECTS"):
        async with serve(OAUTH_REDIRECTS=redirects):
            pass
