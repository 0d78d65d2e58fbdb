"""The object store, any that speaks S3: its client's habits stay in this one module."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from hashlib import sha256 as hashed
from typing import Any
from urllib.parse import quote

import aioboto3
import aiohttp
import msgspec
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from litestar import Litestar

from common.errors import NotFoundError, UnavailableError
from common.settings import StorageSettings

log = structlog.get_logger()

_MISSING = {"NoSuchKey", "NoSuchUpload", "404", "NotFound"}
_GONE_AWAY = (BotoCoreError, aiohttp.ClientError, OSError, TimeoutError)
_CHUNK = 256 * 1024
# what takes its time because bytes travel, or are copied
_LONG = {"put_object", "upload_part", "upload_part_copy", "complete_multipart_upload"}
_MARKS = "Marks"


class Stored(msgspec.Struct, frozen=True):
    """What the store says of an object."""

    size: int
    content_type: str
    etag: str


class SignedPut(msgspec.Struct, frozen=True):
    """A URL that takes one object, and the headers that must be sent with it just so.

    A browser sends ``content-length`` by itself, and lets nobody else set it.
    """

    url: str
    headers: dict[str, str]


class Storage:
    """One service's view of the store. Presigned URLs are made for the public address.

    The signature covers the ``Host``: who carries such a request must leave that header as it is,
    and add no ``X-Forwarded-Host``. ``watched`` names the bucket that readiness asks about.
    """

    def __init__(self, settings: StorageSettings, *, watched: str = "") -> None:
        self._settings = settings
        self._watched = watched
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._signer: Any = None

    async def open(self, app: Litestar | None = None) -> None:
        """Prepare the clients; nothing is connected yet."""
        self._client = await self._stack.enter_async_context(
            self._session(self._settings.s3_endpoint_url)
        )
        self._signer = await self._stack.enter_async_context(
            self._session(self._settings.s3_public_url)
        )
        self._signer.meta.events.register("provide-client-params.s3", _take_marks)
        self._signer.meta.events.register("before-sign.s3", _sign_marks)
        if app is not None and self._watched:
            app.state.watch.add("s3", self._is_up)

    def _session(self, endpoint: str) -> Any:  # noqa: ANN401 - boto's clients are made at run time
        settings = self._settings
        config = Config(
            signature_version="s3v4",
            # bytes are vouched for by their checksum; to sign them too would hash them on the loop
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=settings.s3_connect_s,
            read_timeout=settings.s3_timeout_s,
            max_pool_connections=settings.s3_connections_max,
            retries={"total_max_attempts": settings.s3_attempts_max, "mode": "standard"},
        )
        return aioboto3.Session().client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=settings.s3_access_key,
            aws_secret_access_key=settings.s3_secret_key,
            region_name=settings.s3_region,
            config=config,
        )

    async def close(self) -> None:
        """Close the clients."""
        await self._stack.aclose()

    async def call(self, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 - boto's own
        """Run an operation of S3; raises ``NotFoundError`` and ``UnavailableError``."""
        try:
            # the client's own time-outs do not see a store that takes a body and says nothing, and
            # with a second attempt whoever waits behind the gateway is gone before the answer
            tries = 2.5 if operation in _LONG else 1.2
            async with asyncio.timeout(tries * self._settings.s3_timeout_s):
                return await getattr(self._client, operation)(**arguments)
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code")
            if code in _MISSING:
                raise NotFoundError("There is no such object.") from exc
            log.warning("storage_refused", operation=operation, code=code)
            raise UnavailableError from exc
        except _GONE_AWAY as exc:
            log.warning("storage_unavailable", operation=operation, error=repr(exc))
            raise UnavailableError from exc

    async def put(
        self,
        bucket: str,
        key: str,
        body: Any,  # noqa: ANN401 - bytes or a file
        *,
        content_type: str,
        sha256: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        """Write an object whole; the store refuses other bytes than those of ``sha256`` (hex).

        A file is read piece by piece, off the event loop. For bytes the checksum is made here.
        """
        if sha256 is None and isinstance(body, bytes):
            sha256 = hashed(body).hexdigest()
        checksum = {"ChecksumSHA256": _base64(sha256)} if sha256 else {}
        await self.call(
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            Metadata=metadata or {},
            **checksum,
        )

    async def get(self, bucket: str, key: str) -> bytes:
        """Read an object whole; raises ``NotFoundError``."""
        _, pieces = await self.stream(bucket, key)
        return b"".join([piece async for piece in pieces])

    async def stream(
        self, bucket: str, key: str, *, byte_range: str | None = None
    ) -> tuple[Stored, AsyncGenerator[bytes]]:
        """Read an object piece by piece; ``byte_range`` is an HTTP ``Range`` value."""
        wanted = {"Range": byte_range} if byte_range else {}
        answer = await self.call("get_object", Bucket=bucket, Key=key, **wanted)
        return _stored(answer), _pieces(answer["Body"])

    async def head(self, bucket: str, key: str) -> Stored:
        """Ask about an object; raises ``NotFoundError``."""
        return _stored(await self.call("head_object", Bucket=bucket, Key=key))

    async def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there."""
        await self.call("delete_object", Bucket=bucket, Key=key)

    async def answers(self, bucket: str) -> bool:
        """Whether the store can be reached now."""
        try:
            await self.call("list_objects_v2", Bucket=bucket, MaxKeys=1)
        except (UnavailableError, NotFoundError):
            return False
        return True

    async def _is_up(self) -> bool:
        return await self.answers(self._watched)

    async def signed_get(
        self,
        bucket: str,
        key: str,
        *,
        lifetime_s: int,
        filename: str | None = None,
        marks: Mapping[str, str] | None = None,
    ) -> str:
        """A URL that reads the object until it expires; ``filename`` makes it a download.

        ``marks`` go into its query and under its signature, and the store passes over them: their
        names begin with ``x-``. Without any it is for the store's own address, which only the fleet
        can reach. It is good for GET alone: a HEAD would need a signature of its own.
        """
        extra = {"ResponseContentDisposition": attachment(filename)} if filename else {}
        arguments = {"Bucket": bucket, "Key": key, **extra}
        return await self.sign("get_object", lifetime_s, marks, arguments)

    async def signed_put(
        self,
        bucket: str,
        key: str,
        *,
        lifetime_s: int,
        content_type: str,
        size: int,
        marks: Mapping[str, str],
        sha256: str | None = None,
    ) -> SignedPut:
        """A URL that writes the object: just so many bytes, of that type and hash (hex)."""
        headers = {"content-type": content_type, "content-length": str(size)}
        arguments: dict[str, Any] = {"Bucket": bucket, "Key": key}
        arguments |= {"ContentType": content_type, "ContentLength": size}
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = arguments["ChecksumSHA256"] = _base64(sha256)
        url = await self.sign("put_object", lifetime_s, marks, arguments)
        return SignedPut(url, headers)

    async def sign(
        self,
        operation: str,
        lifetime_s: int,
        marks: Mapping[str, str] | None,
        arguments: dict[str, Any],
    ) -> str:
        """Make a URL for an operation of S3: with ``marks``, or for the store's own address."""
        signer = self._client if marks is None else self._signer
        marked = {} if marks is None else {_MARKS: marks}
        asked = {"Params": arguments | marked, "ExpiresIn": lifetime_s}
        return str(await signer.generate_presigned_url(operation, **asked))


def _take_marks(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    context[_MARKS] = params.pop(_MARKS)


def _sign_marks(request: Any, **_: object) -> None:  # noqa: ANN401 - boto's own
    request.params.update(request.context[_MARKS])


def _base64(sha256: str) -> str:
    return b64encode(bytes.fromhex(sha256)).decode()


def _stored(answer: dict[str, Any]) -> Stored:
    return Stored(answer["ContentLength"], answer.get("ContentType", ""), answer.get("ETag", ""))


async def _pieces(body: Any) -> AsyncGenerator[bytes]:  # noqa: ANN401 - boto's stream
    try:
        async for piece in body.iter_chunks(_CHUNK):
            yield piece
    except _GONE_AWAY as exc:
        log.warning("storage_broke_off", error=repr(exc))
        raise UnavailableError from exc
    finally:
        body.close()


def attachment(filename: str) -> str:
    """A ``Content-Disposition`` (RFC 6266) that saves under ``filename``, whatever is in it."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in filename)
    exact = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{exact}'
