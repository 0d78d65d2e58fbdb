"""Who is calling: the gateway's identity headers, believed only beside the fleet's secret."""

from typing import Any
from uuid import UUID

import msgspec
from litestar.types import Scope

from common import exchange
from common.errors import InsufficientScopeError, NotFoundError, UnauthenticatedError

NOBODY = UUID(int=0)
_PREFIXES = (b"x-user-", b"x-auth-")


class Caller(msgspec.Struct, frozen=True):
    """A verified identity. ``user_id`` is ``NOBODY`` for an anonymous caller."""

    user_id: UUID = NOBODY
    session_id: str = ""
    role: str = "user"
    method: str = "anonymous"
    scopes: frozenset[str] | None = None
    project_id: UUID | None = None
    address: str = ""

    @property
    def is_known(self) -> bool:
        """Whether somebody is calling."""
        return self.user_id != NOBODY

    def may(self, scope: str) -> bool:
        """Whether an API key was given ``scope``; a session may do what its user may."""
        return self.scopes is None or scope in self.scopes

    def confined_to(self, project_id: UUID) -> bool:
        """Whether an API key's restriction, if it has one, allows this project."""
        return self.project_id is None or self.project_id == project_id


def needs(
    scope: str | None,
    *,
    anonymous: bool = False,
    rate: str = "read",
    body: type[msgspec.Struct] | None = None,
    takes_bytes: bool = False,
) -> dict[str, Any]:
    """Declare on a route (``opt=needs(...)``) the scope it wants of an API key, and its rate class.

    ``None`` says that API keys have no business there; ``anonymous`` lets nobody in particular in.
    ``body`` and ``takes_bytes`` describe the body of a route that reads it itself.
    """
    return {
        "scope": scope,
        "anonymous": anonymous,
        "rate": rate,
        "body": body,
        "takes_bytes": takes_bytes,
    }


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by lower-case name."""
    now = exchange.current()
    return dict(scope["headers"]) if now is None or now.headers is None else now.headers


def caller_of(scope: Scope) -> Caller:
    """Return who calls this route, as far as its ``needs`` allow.

    Raises ``UnauthenticatedError`` or ``InsufficientScopeError``; ``NotFoundError`` where the path
    names a project that the API key is not for.
    """
    opt = scope["route_handler"].opt
    headers: dict[bytes, bytes] = headers_of(scope)
    user = headers.get(b"x-user-id")
    if user is None:
        if opt.get("anonymous"):
            return Caller(address=_text(headers, b"x-envoy-external-address"))
        raise UnauthenticatedError
    caller = _identified(user, headers)
    wanted: str | None = opt.get("scope")
    if caller.scopes is not None and (wanted is None or not caller.may(wanted)):
        raise InsufficientScopeError(
            "This API key lacks the scope.", {"scope": wanted or "a session"}
        )
    project = scope.get("path_params", {}).get("project_id")
    if project is not None and not caller.confined_to(UUID(str(project))):
        raise NotFoundError("There is no such project.")
    return caller


def _identified(user: bytes, headers: dict[bytes, bytes]) -> Caller:
    scopes = headers.get(b"x-auth-scopes")
    try:
        user_id = UUID(user.decode("latin-1"))
        project_id = UUID(project) if (project := _text(headers, b"x-auth-project")) else None
    except ValueError as exc:
        raise UnauthenticatedError from exc
    return Caller(
        user_id=user_id,
        session_id=_text(headers, b"x-auth-session"),
        role=_text(headers, b"x-auth-role") or "user",
        method=_text(headers, b"x-auth-method") or "jwt",
        scopes=None if scopes is None else frozenset(scopes.decode("latin-1").split()),
        project_id=project_id,
        address=_text(headers, b"x-envoy-external-address"),
    )


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


async def provide_caller(scope: Scope) -> Caller:
    """Give an ordinary route its caller."""
    return caller_of(scope)
