"""The object store, any that speaks S3: its client's habits stay in this one module."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aioboto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from litestar import Litestar

from common.errors import NotFoundError, UnavailableError
from common.settings import StorageSettings

_MISSING = {"NoSuchKey", "404", "NotFound"}
_CHUNK = 256 * 1024


class Stored(msgspec.Struct, frozen=True):
    """What the store says of an object."""

    size: int
    content_type: str
    etag: str


class Storage:
    """One service's view of the store. Presigned URLs are made for the public address."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._signer: Any = None

    async def open(self, _: Litestar | None = None) -> None:
        """Prepare the clients; nothing is connected yet."""
        self._client = await self._stack.enter_async_context(
            self._session(self._settings.s3_endpoint_url)
        )
        self._signer = await self._stack.enter_async_context(
            self._session(self._settings.s3_public_url)
        )

    def _session(self, endpoint: str) -> Any:  # noqa: ANN401 - boto's clients are made at run time
        settings = self._settings
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=settings.s3_timeout_s,
            read_timeout=settings.s3_timeout_s,
            retries={"max_attempts": 2},
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

    async def _call(self, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 - boto's own
        try:
            return await getattr(self._client, operation)(**arguments)
        except ClientError as exc:
            if exc.response.get("Error", {}).get("Code") in _MISSING:
                raise NotFoundError("There is no such object.") from exc
            raise UnavailableError from exc
        except (BotoCoreError, OSError, TimeoutError) as exc:
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
        """Write an object whole; with ``sha256`` (base64) the store refuses other bytes."""
        checksum = {"ChecksumSHA256": sha256} if sha256 else {}
        await self._call(
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
        answer = await self._call("get_object", Bucket=bucket, Key=key)
        content: bytes = await answer["Body"].read()
        return content

    async def stream(
        self, bucket: str, key: str, *, byte_range: str | None = None
    ) -> tuple[Stored, AsyncIterator[bytes]]:
        """Read an object piece by piece; ``byte_range`` is an HTTP ``Range`` value."""
        wanted = {"Range": byte_range} if byte_range else {}
        answer = await self._call("get_object", Bucket=bucket, Key=key, **wanted)
        return _stored(answer), _pieces(answer["Body"])

    async def head(self, bucket: str, key: str) -> Stored:
        """Ask about an object; raises ``NotFoundError``."""
        return _stored(await self._call("head_object", Bucket=bucket, Key=key))

    async def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there."""
        await self._call("delete_object", Bucket=bucket, Key=key)

    async def copy(self, bucket: str, source: str, target: str) -> None:
        """Copy an object within a bucket."""
        origin = {"Bucket": bucket, "Key": source}
        await self._call("copy_object", Bucket=bucket, Key=target, CopySource=origin)

    async def answers(self, bucket: str) -> bool:
        """Whether the store can be reached now."""
        try:
            await self._call("list_objects_v2", Bucket=bucket, MaxKeys=1)
        except (UnavailableError, NotFoundError):
            return False
        return True

    async def signed_get(
        self, bucket: str, key: str, *, lifetime_s: int, filename: str | None = None
    ) -> str:
        """A URL that reads the object until it expires; ``filename`` makes it a download."""
        extra = {"ResponseContentDisposition": _attachment(filename)} if filename else {}
        return await self._signed("get_object", lifetime_s, Bucket=bucket, Key=key, **extra)

    async def signed_put(
        self, bucket: str, key: str, *, lifetime_s: int, **signed: str | int
    ) -> str:
        """A URL that writes the object; what ``signed`` names must be sent just so.

        ``ContentType``, ``ContentLength`` and ``ChecksumSHA256`` can be signed in.
        """
        return await self._signed("put_object", lifetime_s, Bucket=bucket, Key=key, **signed)

    async def _signed(self, operation: str, lifetime_s: int, **arguments: str | int) -> str:
        url: str = await self._signer.generate_presigned_url(
            operation, Params=arguments, ExpiresIn=lifetime_s
        )
        return url


def _stored(answer: dict[str, Any]) -> Stored:
    return Stored(answer["ContentLength"], answer.get("ContentType", ""), answer.get("ETag", ""))


async def _pieces(body: Any) -> AsyncGenerator[bytes]:  # noqa: ANN401 - boto's stream
    try:
        async for piece in body.iter_chunks(_CHUNK):
            yield piece
    finally:
        body.close()


def _attachment(filename: str) -> str:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in filename)
    return f'attachment; filename="{safe}"'
