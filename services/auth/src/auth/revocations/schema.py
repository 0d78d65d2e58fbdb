"""What a gateway says when it asks which sessions are over."""

from msgspec import Struct


class Question(Struct, frozen=True):
    """Envoy's discovery request, of which only the version that it has matters here."""

    version_info: str = ""
