"""The services that this one asks: auth, for who somebody is; registry, for templates."""

from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Litestar

from common.errors import NotFoundError
from common.outgoing import Peer
from projects.settings import Settings


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """An account, as far as its name goes."""

    user_id: UUID
    username: str
    display_name: str


class Claimant(msgspec.Struct, frozen=True, rename="camel"):
    """Whose account it is, and whether an address is known to be theirs."""

    username: str
    display_name: str
    is_theirs: bool


class InvitationMail(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What auth tells somebody who is invited, and the token that lets them in."""

    email: str
    project_name: str
    invited_by: UUID
    token: str
    lifetime_s: int


class Sending(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a mail leaves: an address gets no more than so many of them."""

    is_welcome: bool


class TemplateFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file that a template puts into a project."""

    path: str
    encoding: str
    content: str


class Variable(msgspec.Struct, frozen=True, rename="camel"):
    """Something of a template that is filled in: ``default`` stands for it in ``files``."""

    name: str
    default: str
    files: list[str] = []
    max_length: int = 200


class Template(msgspec.Struct, frozen=True, rename="camel"):
    """What a project starts from."""

    id: str
    name: str
    files: list[TemplateFile]
    variables: list[Variable] = []


class Peers:
    """Connections to the other services, as long as this one lives."""

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.outgoing_timeout_s
        secret = settings.fleet_secret
        self._auth = Peer(settings.auth_url, secret, timeout_s=timeout_s, caller="projects")
        self._registry = Peer(settings.registry_url, secret, timeout_s=timeout_s, caller="projects")

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Close the connections."""
        await self._auth.close()
        await self._registry.close()

    async def account(self, login: str) -> Account | None:
        """Ask auth whose e-mail, username or id ``login`` is."""
        try:
            return await self._auth.get("/internal/accounts", Account, login=login)
        except NotFoundError:
            return None

    async def claimant(self, user_id: UUID, email: str) -> Claimant | None:
        """Ask auth whether somebody has proven that an address is theirs."""
        asked = {"userId": user_id, "email": email}
        try:
            return await self._auth.post("/internal/invitations/claimant", asked, Claimant)
        except NotFoundError:
            return None

    async def invite(self, mail: InvitationMail) -> bool:
        """Have auth send somebody their invitation; false where their address got enough."""
        return (await self._auth.post("/internal/invitations", mail, Sending)).is_welcome

    async def template(self, template_id: str) -> Template:
        """Ask the registry for a template; raises ``NotFoundError``."""
        # a caller's word: it stays one segment of the path, whatever is in it
        segment = quote(template_id, safe="")
        return await self._registry.get(f"/internal/templates/{segment}", Template)
