"""What the fleet asks about sessions, and what it is told."""

from msgspec import Struct


class Question(Struct, frozen=True):
    """Envoy's discovery request, of which only the version that it has matters here."""

    version_info: str = ""


class Liveness(Struct, frozen=True, rename="camel"):
    """Whether a session goes on."""

    is_live: bool
