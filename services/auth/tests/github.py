"""GitHub's three endpoints, as its documentation describes them: theirs is not ours to run."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from services.auth.tests.standin import Asked, Said, Standin

CLIENT = "Iv1.0123456789abcdef"
SECRET = "a secret of forty characters, from GitHub"
_CODE, _TOKEN = "code-of-", "gho_"


class Member(msgspec.Struct):
    """Somebody who has an account there."""

    id: int
    login: str
    emails: list[dict[str, Any]]
    name: str | None = None
    # what the profile shows: any address at all
    email: str | None = None
    scopes: str = ""
    challenge: str = ""
    redirect_uri: str = ""


class GitHub:
    """A GitHub that knows some people."""

    def __init__(self, standin: Standin, callback_url: str) -> None:
        self.standin = standin
        self.callback_url = callback_url
        self.members: dict[str, Member] = {}
        standin.asked.clear()
        standin.answers.clear()
        standin.answers["/login/oauth/access_token"] = self._token
        standin.answers["/api/v3/user"] = self._user
        standin.answers["/api/v3/user/emails"] = self._emails

    def knows(self, member: Member) -> None:
        """Let somebody have an account there."""
        self.members[member.login] = member

    def agrees(self, page: str, login: str) -> str:
        """Let somebody log in on GitHub's page, and agree; returns where that leads."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        assert page.startswith(f"{self.standin.url}/login/oauth/authorize?")
        assert (query["client_id"], query["redirect_uri"]) == (CLIENT, self.callback_url)
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        member = self.members[login]
        member.scopes, member.challenge = query["scope"], query["code_challenge"]
        member.redirect_uri = query["redirect_uri"]
        back = {"code": f"{_CODE}{login}", "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    async def _token(self, asked: Asked) -> Said:
        form = asked.form
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return Said({"error": "incorrect_client_credentials", "error_description": "..."})
        member = self.members.get(form["code"].removeprefix(_CODE))
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if member is None or not member.challenge or member.challenge != challenge:
            # with status 200, as GitHub does
            return Said({"error": "bad_verification_code", "error_description": "..."})
        if form["redirect_uri"] != member.redirect_uri:
            return Said({"error": "redirect_uri_mismatch", "error_description": "..."})
        assert asked.headers["accept"] == "application/json"
        member.challenge = ""
        scope = member.scopes.replace(" ", ",")
        token = f"{_TOKEN}{member.login}"
        return Said({"access_token": token, "scope": scope, "token_type": "bearer"})

    async def _user(self, asked: Asked) -> Said:
        member = self._member(asked)
        if member is None:
            return Said({"message": "Bad credentials"}, 401)
        picture = f"https://avatars.example.org/u/{member.id}?v=4"
        whole = {"id": member.id, "login": member.login, "name": member.name}
        return Said(whole | {"email": member.email, "avatar_url": picture, "type": "User"})

    async def _emails(self, asked: Asked) -> Said:
        member = self._member(asked)
        if member is None or "user:email" not in member.scopes.split():
            return Said({"message": "Not Found"}, 404)
        return Said(member.emails)

    def _member(self, asked: Asked) -> Member | None:
        given = asked.headers.get("authorization", "")
        assert asked.headers["user-agent"]
        return self.members.get(given.removeprefix(f"Bearer {_TOKEN}"))


def address(email: str, *, primary: bool = True, verified: bool = True) -> dict[str, Any]:
    """One of somebody's addresses."""
    return {"email": email, "primary": primary, "verified": verified, "visibility": None}
