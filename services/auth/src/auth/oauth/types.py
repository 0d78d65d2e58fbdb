"""What travels between this service, the browser and a provider."""

import msgspec


class Endpoints(msgspec.Struct, frozen=True):
    """Where a provider is asked, and how it wants to be."""

    authorize: str
    token: str
    # how the client proves itself when it exchanges a code
    client_auth: str = "client_secret_basic"


class Flow(msgspec.Struct, frozen=True):
    """A login that has begun: what is kept until the browser is back, sealed."""

    verifier: str
    nonce: str


class Begun(msgspec.Struct, frozen=True):
    """Where the browser goes, and what it keeps meanwhile."""

    url: str
    browser: str


class Returned(msgspec.Struct, frozen=True):
    """What the browser brings back from a provider."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None


class Tokens(msgspec.Struct, frozen=True):
    """What a provider gives for a code."""

    access_token: str
    token_type: str = "bearer"
    id_token: str | None = None


class ProviderError(Exception):
    """A provider's answer cannot be used: the log says why, the caller is told the step."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(reason)
        self.step = step


def sealed_as(state: bytes) -> str:
    """The name that a login is sealed under while it is under way."""
    return f"flow:{state.hex()}"
