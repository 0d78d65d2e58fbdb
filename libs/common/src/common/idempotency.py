"""``Idempotency-Key``: a request that is repeated has its effect once and is answered the same.

What the request does and the answer that is kept are one transaction: after a crash both are there,
or neither. The key is a secret of its caller: answers are sealed under it, and only its hash is
kept. Failures are not kept: who repeats one has another try.
"""

import hashlib
import os
from typing import cast

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPResponseStartEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)
from litestar.utils.scope.state import ScopeState
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from common.database import Database, Queries
from common.errors import (
    InvalidError,
    KeyInUseError,
    KeyReusedError,
    PayloadTooLargeError,
)
from common.outbox import KeptAnswerRow
from common.settings import Settings

_NAME = b"idempotency-key"
_CALLER = (b"x-user-id", b"x-auth-method", b"x-auth-scopes", b"x-auth-project")
_CHARS_MAX = 255
_NONCE_BYTES = 12
_SWEPT_MAX = 64

_K = KeptAnswerRow
_ID = bindparam("id", type_=sa.LargeBinary)
_OLDEST = sa.func.now() - sa.func.make_interval(
    0, 0, 0, 0, 0, 0, bindparam("kept_s", type_=sa.BigInteger)
)
_LOCK = sa.select(sa.func.pg_try_advisory_xact_lock(bindparam("number", type_=sa.BigInteger)))
_FIND = sa.select(_K.fingerprint, _K.sealed).where(_K.id == _ID, _K.kept_at > _OLDEST)
# whoever keeps one sweeps some of those that are old
_STALE = (
    sa.select(_K.id)
    .where(_K.kept_at <= _OLDEST, _K.id != _ID)
    .limit(_SWEPT_MAX)
    .with_for_update(skip_locked=True)
)
_SWEPT = sa.delete(_K).where(_K.id.in_(_STALE)).cte("swept")
_NEW = insert(_K).values(
    id=_ID,
    fingerprint=bindparam("fingerprint", type_=sa.LargeBinary),
    sealed=bindparam("sealed", type_=sa.LargeBinary),
)
_KEEP = _NEW.on_conflict_do_update(
    index_elements=[_K.id],
    set_={
        "fingerprint": _NEW.excluded.fingerprint,
        "sealed": _NEW.excluded.sealed,
        "kept_at": sa.func.now(),
    },
).add_cte(_SWEPT)


class Answer(msgspec.Struct, array_like=True):
    """A whole answer."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""

    async def send(self, message: Message) -> None:
        """Take what an application would send."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self.body += message["body"]


class Kept(msgspec.Struct, frozen=True):
    """An answer as it is kept, and the request that it is for."""

    fingerprint: bytes
    sealed: bytes


class Keyed:
    """Middleware of a route that creates: with a key it is acted upon once.

    It reads the body whole, so it is not for uploads, and keeps the answer whole. What the route
    does in the meantime is one transaction on one connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; raises ``KeyReusedError`` and ``KeyInUseError``."""
        headers = dict(scope["headers"])
        if scope["type"] == ScopeType.HTTP and _NAME in headers:
            key, caller = headers[_NAME], _caller(headers)
            answer = await self._answer(scope, receive, key, caller)
            await _give(answer, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(
        self, scope: HTTPScope, receive: Receive, key: bytes, caller: bytes
    ) -> Answer:
        """Answer again what was answered before, or act and keep the answer."""
        _check(key)
        state = scope["litestar_app"].state
        settings: Settings = state.settings
        body = await _body(receive, settings.keyed_bytes_max)
        service = scope["route_handler"].handler_name.encode()
        secret = hashlib.sha256(b"\0".join((service, caller, key))).digest()
        key_id = hashlib.sha256(secret).digest()
        fingerprint = _fingerprint(scope, body)
        db: Database = state.db
        async with db.joined() as tx:
            kept = await _kept(tx, key_id, settings.answers_kept_s)
            if kept is not None:
                return _again(kept, fingerprint, secret, key_id)
            answer = Answer()
            await self._app(scope, _reading(body, receive), answer.send)
            # nothing has left yet: what fails from here on is answered as any failure
            ScopeState.from_scope(scope).response_started = False
            if 200 <= answer.status < 300:  # noqa: PLR2004 - an HTTP status
                sealed = _sealed(answer, secret, key_id)
                params = {"id": key_id, "fingerprint": fingerprint, "sealed": sealed}
                await tx.run(_KEEP, kept_s=settings.answers_kept_s, **params)
            return answer


def _caller(headers: dict[bytes, bytes]) -> bytes:
    """Who asks, and how far they go: an API key is not told what its owner was answered."""
    return b"\0".join(headers.get(name, b"") for name in _CALLER)


async def _kept(tx: Queries, key_id: bytes, kept_s: int) -> Kept | None:
    """Look for the answer, once nobody else is making it; raises ``KeyInUseError``."""
    number = int.from_bytes(key_id[:8], signed=True)
    if not await tx.one(_LOCK, _same, number=number):
        raise KeyInUseError(
            "The first request with this key is still being handled.", headers={"retry-after": "1"}
        )
    return await tx.one_or_none(_FIND, Kept, id=key_id, kept_s=kept_s)


async def _body(receive: Receive, bytes_max: int) -> bytes:
    read = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise InvalidError.of("", "The body broke off.")
        read += message["body"]
        if len(read) > bytes_max:
            raise PayloadTooLargeError("The body is too large.", {"limit": bytes_max})
        if not message["more_body"]:
            return bytes(read)


def _same[T](value: T) -> T:
    return value


def _check(key: bytes) -> None:
    if not 0 < len(key) <= _CHARS_MAX or not all(32 < char < 127 for char in key):  # noqa: PLR2004 - visible ASCII
        raise InvalidError.of(
            "Idempotency-Key", f"A key is 1 to {_CHARS_MAX} visible ASCII characters."
        )


def _fingerprint(scope: HTTPScope, body: bytes) -> bytes:
    target = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
    return hashlib.sha256(hashlib.sha256(target).digest() + body).digest()


def _reading(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that has the body at once, and then what comes after it."""
    given = False

    async def read() -> HTTPReceiveMessage:
        nonlocal given
        if given:
            return cast("HTTPReceiveMessage", await receive())
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return cast("Receive", read)


def _sealed(answer: Answer, secret: bytes, key_id: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, msgspec.msgpack.encode(answer), key_id)


def _again(kept: Kept, fingerprint: bytes, secret: bytes, key_id: bytes) -> Answer:
    if kept.fingerprint != fingerprint:
        raise KeyReusedError("This key came before, with another request.")
    nonce, rest = kept.sealed[:_NONCE_BYTES], kept.sealed[_NONCE_BYTES:]
    plain = AESGCM(secret).decrypt(nonce, rest, key_id)
    answer = msgspec.msgpack.decode(plain, type=Answer)
    answer.headers.append((b"idempotency-replayed", b"true"))
    return answer


async def _give(answer: Answer, send: Send) -> None:
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": answer.status,
        "headers": headers,
    }
    await send(start)
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
