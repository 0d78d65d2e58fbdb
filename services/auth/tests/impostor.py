"""An OpenID provider that says whatever a test wants it to say, signed however it wants."""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec
from joserfc import jws
from joserfc.jwk import ECKey, Key
from services.auth.tests.browser import Browser
from services.auth.tests.standin import Asked, Said, Standin

CLIENT = "worldloom"
SECRET = "the secret that only the two know"
SUBJECT = "somebody"


def encoded(value: object) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Impostor:
    """As it begins it is honest; a test then changes what it says."""

    def __init__(self, standin: Standin, name: str) -> None:
        self.standin = standin
        self.name = name
        self.issuer = standin.url
        self.key: Key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.header: dict[str, Any] = {"alg": "ES256", "kid": "one"}
        self.claims: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        self.token: str | None = None
        self.nonce = ""
        self.challenge = ""
        self.honest()

    def honest(self, **metadata: Any) -> None:
        """Describe it, and let it answer."""
        url = self.standin.url
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/jwks",
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "Ed25519"],
        }
        self.standin.asked.clear()
        self.standin.answers.clear()
        self.standin.says("/.well-known/openid-configuration", said | metadata)
        self.publishes(self.key)
        self.standin.answers["/token"] = self._token
        self.standin.says("/userinfo", {"sub": SUBJECT})

    def publishes(self, *keys: Key | dict[str, Any]) -> None:
        """Let these be its keys."""
        public = [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]
        self.standin.says("/jwks", {"keys": public})

    async def leads(self, browser: Browser, **more: str) -> str:
        """Begin a login; returns where the impostor leads at once."""
        page = await browser.leave(self.name)
        query = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        self.nonce, self.challenge = query["nonce"], query["code_challenge"]
        back = urlencode({"code": "any", "state": query["state"]} | more)
        return f"{query['redirect_uri']}?{back}"

    async def log_in(self, browser: Browser, **more: str) -> httpx.Response:
        """Begin a login, and end it."""
        return await browser.come_back(await self.leads(browser, **more))

    async def _token(self, asked: Asked) -> Said:
        verifier = asked.form.get("code_verifier", "").encode()
        if encoded(hashlib.sha256(verifier).digest()) != self.challenge:
            return Said({"error": "invalid_grant"}, 400)
        proof = base64.b64decode(asked.headers["authorization"].removeprefix("Basic "))
        if proof.decode() != f"{CLIENT}:{SECRET.replace(' ', '+')}":
            return Said({"error": "invalid_client"}, 401)
        token = self.signed() if self.token is None else self.token
        answer = {"access_token": "for-userinfo", "token_type": "Bearer", "id_token": token}
        return Said({k: v for k, v in (answer | self.tokens).items() if v is not None})

    def said(self) -> bytes:
        """What its ID token says; ``None`` leaves a claim out, bytes are taken as they are."""
        now = int(time.time())
        whole = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": f"{SUBJECT}@{self.name}.example.org",
            "email_verified": True,
        }
        return msgspec.json.encode(
            {k: v for k, v in (whole | self.claims).items() if v is not None}
        )

    def signed(self) -> str:
        """Its ID token."""
        algorithms = ["ES256", "RS256", "Ed25519", "HS256"]
        return jws.serialize_compact(dict(self.header), self.said(), self.key, algorithms)

    def forged(self, header: dict[str, Any], signature: bytes = b"") -> str:
        """An ID token with any header and any signature."""
        return f"{encoded(header)}.{encoded(self.said())}.{encoded(signature)}"
