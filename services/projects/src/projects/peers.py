"""The services that this one asks.

Auth for who somebody is, registry for templates, collab for what is being typed.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Litestar

from common.errors import NotFoundError, UnavailableError
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


class LiveText(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is in a document that is open live; ``text`` unless who asks has what has that hash.

    ``updated_at`` and ``updated_by`` are of the last word typed that is not in the file yet.
    """

    hash: str
    size: int
    text: str | None = None
    updated_at: datetime | None = None
    updated_by: UUID | None = None


class Settled(msgspec.Struct, frozen=True):
    """How many documents were written back."""

    settled: int


class Hold(msgspec.Struct, frozen=True, rename="camel"):
    """Documents are written back, and nothing more that is typed is acknowledged."""

    hold_id: str


class _Done(msgspec.Struct, frozen=True):
    """An answer that says nothing."""


class Peers:
    """Connections to the other services, as long as this one lives."""

    def __init__(self, settings: Settings) -> None:
        timeout_s = settings.outgoing_timeout_s
        secret = settings.fleet_secret
        self._auth = Peer(settings.auth_url, secret, timeout_s=timeout_s, caller="projects")
        self._registry = Peer(settings.registry_url, secret, timeout_s=timeout_s, caller="projects")
        self._collab = Peer(settings.collab_url, secret, timeout_s=timeout_s, caller="projects")

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Close the connections."""
        await self._auth.close()
        await self._registry.close()
        await self._collab.close()

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

    async def live_text(
        self, project_id: UUID, document_id: UUID, content_hash: str, known: str | None
    ) -> LiveText | None:
        """Ask collab for a document's text, without it where its hash is one of these two.

        ``content_hash`` is the file's own. ``None`` where nobody ever had the document open.
        """
        asked = {"fileId": document_id, "hash": content_hash, "known": known}
        path = f"/internal/projects/{project_id}/documents/text"
        try:
            return await self._collab.post(path, asked, LiveText)
        except NotFoundError:
            return None

    async def settle(self, project_id: UUID) -> None:
        """Have collab write back whatever was typed in a project."""
        await self._live(project_id, "settle", {"fileIds": None}, Settled)

    async def hold(self, project_id: UUID, document_ids: Sequence[UUID]) -> str:
        """Have documents written back, and let what is typed from now on wait; return for what."""
        held = await self._live(project_id, "hold", {"fileIds": list(document_ids)}, Hold)
        return held.hold_id

    async def release(self, project_id: UUID, hold_id: str) -> None:
        """Let documents that were held take in how their files are now, and go on."""
        await self._live(project_id, "release", {"holdId": hold_id}, _Done)

    async def _live[T](self, project_id: UUID, what: str, asked: object, into: type[T]) -> T:
        try:
            path = f"/internal/projects/{project_id}/documents/{what}"
            return await self._collab.post(path, asked, into)
        except NotFoundError as exc:
            # it does not know the route: an older one, while a newer takes over
            raise UnavailableError from exc
