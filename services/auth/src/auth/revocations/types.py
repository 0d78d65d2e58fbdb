"""The list of sessions that are over, as Envoy takes it: one of its filters' configuration."""

from collections.abc import Sequence
from typing import Any, override

import msgspec

_NAME = "revoked"
_TYPES = "type.googleapis.com/"
_EXTENSION = f"{_TYPES}envoy.config.core.v3.TypedExtensionConfig"
_FILTER = f"{_TYPES}envoy.extensions.filters.http.rbac.v3.RBAC"
_ACTION = f"{_TYPES}envoy.config.rbac.v3.Action"
_SESSION = {
    "@type": f"{_TYPES}envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
    "header_name": "x-auth-session",
}


def _verdict(name: str, action: str) -> dict[str, Any]:
    made = {"@type": _ACTION, "name": name, "action": action}
    return {"action": {"name": name, "typed_config": made}}


# the name is in what the gateway's replies.yaml goes by
_DENY = msgspec.Raw(msgspec.json.encode(_verdict(_NAME, "DENY")))
_ALLOW = _verdict("live", "ALLOW")


class Version(msgspec.Struct, frozen=True):
    """What a list holds, and when it was read, in microseconds of the database's clock.

    Lists with the same ``mark`` hold the same; whoever has one that was read at a moment has
    everything that was committed before it.
    """

    read_at: int
    mark: str

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read what ``str`` made; what it did not make is older than everything."""
        read_at, _, mark = text.partition(".")
        return cls(int(read_at), mark) if read_at.isdecimal() else cls(0, "")

    @override
    def __str__(self) -> str:
        """Write it as Envoy keeps it and says it again."""
        return f"{self.read_at}.{self.mark}"


def discovery(version: Version, session_ids: Sequence[str]) -> bytes:
    """Answer Envoy's discovery request: a filter that refuses these sessions, in one look-up."""
    matcher: dict[str, Any] = {"on_no_match": _ALLOW}
    if session_ids:
        matcher["matcher_tree"] = {
            "input": {"name": "session", "typed_config": _SESSION},
            "exact_match_map": {"map": dict.fromkeys(session_ids, _DENY)},
        }
    config = {"@type": _FILTER, "matcher": matcher}
    resource = {"@type": _EXTENSION, "name": _NAME, "typed_config": config}
    answer = {"version_info": str(version), "type_url": _EXTENSION, "resources": [resource]}
    return msgspec.json.encode(answer)
