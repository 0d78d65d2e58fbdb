"""Calls to providers: bounded in time and size, and led nowhere else."""

import asyncio

import httpx
import msgspec
import structlog

from auth.oauth.types import ProviderError
from auth.providers.types import is_safe
from auth.settings import Settings
from common.errors import UnavailableError

log = structlog.get_logger()

_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
# compressed, a few bytes could become any number
_HEADERS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "worldloom"}


class Answer(msgspec.Struct, frozen=True):
    """What a provider answered."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == _OK

    def read[T](self, kind: type[T], step: str) -> T:
        """Decode it; raises ``ProviderError``."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise ProviderError(step, f"the answer is none: {exc}") from exc


class Web:
    """What asks providers; nothing that they answer is followed."""

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.oauth_timeout_s
        self._bytes_max = settings.oauth_answer_bytes_max
        self._wait_s = settings.oauth_rest_s
        self._client = httpx.AsyncClient(headers=_HEADERS, timeout=self._timeout_s)

    async def get(self, url: str, step: str, *, token: str = "") -> Answer:
        """Ask for something, as whom the token stands for."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self._ask("GET", url, step, headers, b"")

    async def post(self, url: str, step: str, headers: dict[str, str], form: bytes) -> Answer:
        """Send a form."""
        return await self._ask("POST", url, step, headers, form)

    async def _ask(
        self, method: str, url: str, step: str, headers: dict[str, str], content: bytes
    ) -> Answer:
        if not is_safe(url):
            raise ProviderError(step, f"{url!r} is no address that secrets may be sent to")
        try:
            async with (
                # the client's own limits are for each read: a drop now and then would pass them
                asyncio.timeout(self._timeout_s),
                self._client.stream(method, url, headers=headers, content=content) as answer,
            ):
                body = await self._body(answer, step)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as exc:
            raise self._away(url, step, repr(exc)) from exc
        if answer.status_code >= _SERVER_ERROR or answer.status_code == _TOO_MANY:
            raise self._away(url, step, f"status {answer.status_code}")
        return Answer(answer.status_code, body)

    def _away(self, url: str, step: str, reason: str) -> UnavailableError:
        log.warning("provider_unavailable", url=url.partition("?")[0], step=step, reason=reason)
        return UnavailableError("The provider does not answer; try again.", wait_s=self._wait_s)

    async def _body(self, answer: httpx.Response, step: str) -> bytes:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise ProviderError(step, "the answer is compressed")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > self._bytes_max:
                raise ProviderError(step, f"the answer has more than {self._bytes_max} bytes")
        return bytes(body)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
