"""The services that this one asks: auth, for who a login is; registry, for templates."""

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

    async def template(self, template_id: str) -> Template:
        """Ask the registry for a template; raises ``NotFoundError``."""
        # a caller's word: it stays one segment of the path, whatever is in it
        segment = quote(template_id, safe="")
        return await self._registry.get(f"/internal/templates/{segment}", Template)
