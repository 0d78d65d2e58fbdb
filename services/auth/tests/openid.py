"""A certified OpenID provider (npm's ``oidc-provider``), for tests that log in through it."""

import asyncio
import re
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec

_NPM = Path(__file__).parent / "npm"
_SUBMIT = re.compile(r'action="([^"]+)" method="post"')
_STEPS_MAX = 12
CLIENT = "worldloom"
CLIENT_OF_ES256 = "worldloom-es256"


class OpenIdProvider:
    """A provider that runs, and the people who are known there."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.asked = httpx.AsyncClient()

    async def knows(self, login: str, **claims: object) -> None:
        """Let somebody be known there, or something else be said of them."""
        url = f"{self.issuer}/people/{quote(login)}"
        answer = await self.asked.put(url, json=claims)
        assert answer.status_code == 204, answer.text

    async def login(self, browser: httpx.AsyncClient, url: str, login: str) -> str:
        """Log in on the provider's pages, and agree to what they ask; returns where that leads."""
        for _ in range(_STEPS_MAX):
            answer = await browser.get(url)
            if answer.status_code in {302, 303}:
                url = str(answer.url.join(answer.headers["location"]))
                if not url.startswith(self.issuer):
                    return url
                continue
            form = _SUBMIT.search(answer.text)
            assert form is not None, (answer.status_code, answer.text)
            prompt = "login" if 'value="login"' in answer.text else "consent"
            sends = {"prompt": prompt, "login": login, "password": "any"}
            answer = await browser.post(str(answer.url.join(form[1])), data=sends)
            assert answer.status_code == 303, answer.text
            url = str(answer.url.join(answer.headers["location"]))
        raise AssertionError(f"The provider leads nowhere: {url}")

    async def refusal(self, browser: httpx.AsyncClient, url: str) -> str:
        """Refuse to log in on the provider's pages; returns where that leads."""
        answer = await browser.get(url, follow_redirects=True)
        answer = await browser.get(f"{answer.url}/abort")
        back = await browser.get(answer.headers["location"])
        return str(back.headers["location"])


def secret_of(client_id: str) -> str:
    """What the provider knows a client by."""
    return f"{client_id}'s secret + 100 %"


@asynccontextmanager
async def running(redirects: Sequence[str], *, terse: bool) -> AsyncGenerator[OpenIdProvider]:
    """Run a provider that sends browsers back to these addresses.

    A terse one tells of people when it is asked, and not in its ID tokens.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node is not None
    assert npm is not None
    if not (_NPM / "node_modules").exists():
        installing = await asyncio.create_subprocess_exec(npm, "ci", cwd=_NPM)
        assert await installing.wait() == 0
    given = msgspec.json.encode({"redirects": list(redirects), "terse": terse}).decode()
    process = await asyncio.create_subprocess_exec(
        node,
        "provider.mjs",
        given,
        cwd=_NPM,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        made = OpenIdProvider((await process.stdout.readline()).decode().strip())
        assert made.issuer, "the provider does not start"
        async with made.asked:
            yield made
    finally:
        process.kill()
        await process.wait()
