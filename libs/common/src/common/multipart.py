"""Objects that come in parts (S3's multipart uploads): nobody sees one until it is whole."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

import msgspec

from common.errors import ServiceError
from common.storage import SignedPut, Storage

# every part but the last has so many bytes at least, and there are no more of them: S3's own limits
PART_BYTES_MIN = 5 * 1024 * 1024
PARTS_MAX = 10_000
_MARKERS = ("KeyMarker", "UploadIdMarker")
_READ_BYTES = 1024 * 1024
_COPIED_BYTES = 64 * 1024 * 1024


class Part(msgspec.Struct, frozen=True):
    """A part that the store has."""

    number: int
    size: int
    etag: str


class Multipart(msgspec.Struct, frozen=True):
    """An object of which parts may be there: completed it is seen, aborted its parts are gone.

    To write a part again replaces it.
    """

    storage: Storage
    bucket: str
    key: str
    id: str

    async def put(self, number: int, body: IO[bytes]) -> Part:
        """Write a part, read piece by piece off the event loop; the store checks its MD5."""
        size, checksum = await asyncio.to_thread(_measured, body)
        answer = await self._call(
            "upload_part", PartNumber=number, Body=body, ContentLength=size, ContentMD5=checksum
        )
        return Part(number, size, _bare(answer["ETag"]))

    async def signed_put(
        self, number: int, size: int, *, lifetime_s: int, marks: Mapping[str, str]
    ) -> SignedPut:
        """A URL that takes a part of just so many bytes."""
        part = {"PartNumber": number, "ContentLength": size}
        url = await self.storage.sign("upload_part", lifetime_s, marks, self._name() | part)
        return SignedPut(url, {"content-length": str(size)})

    async def parts(self) -> list[Part]:
        """List the parts that are there, by number; raises ``NotFoundError``."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            answer = await self._call("list_parts", PartNumberMarker=after)
            found += answer.get("Parts", ())
            if not answer.get("IsTruncated") or not found:
                break
            after = found[-1]["PartNumber"]
        # a store may list what was replaced as well
        newest = {p["PartNumber"]: p for p in sorted(found, key=lambda p: p["LastModified"])}
        return [Part(n, p["Size"], _bare(p["ETag"])) for n, p in sorted(newest.items())]

    async def complete(self, parts: Sequence[Part]) -> None:
        """Let the object be seen, made of these.

        Asked again, a store says that all is well, or raises ``NotFoundError``.
        """
        named = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]
        await self._call("complete_multipart_upload", MultipartUpload={"Parts": named})

    async def abort(self) -> None:
        """Let it never be seen, and remove its parts; raises ``NotFoundError`` if there is none."""
        await self._call("abort_multipart_upload")

    async def copy(self, source: str, *, size: int, etag: str) -> list[Part]:
        """Have the store write an object's bytes as the parts, as long as it has that ETag."""
        done: list[Part] = []
        for first in range(0, size, _COPIED_BYTES):
            last = min(first + _COPIED_BYTES, size) - 1
            answer = await self._call(
                "upload_part_copy",
                PartNumber=len(done) + 1,
                CopySource={"Bucket": self.bucket, "Key": source},
                CopySourceRange=f"bytes={first}-{last}",
                CopySourceIfMatch=etag,
            )
            etag_of_part = _bare(answer["CopyPartResult"]["ETag"])
            done.append(Part(len(done) + 1, last - first + 1, etag_of_part))
        return done

    async def _call(self, operation: str, **more: Any) -> Any:  # noqa: ANN401 - boto's own
        return await self.storage.call(operation, **self._name(), **more)

    def _name(self) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.key, "UploadId": self.id}


async def begin(storage: Storage, bucket: str, key: str, *, content_type: str) -> Multipart:
    """Begin an object that comes in parts."""
    answer = await storage.call(
        "create_multipart_upload", Bucket=bucket, Key=key, ContentType=content_type
    )
    return Multipart(storage, bucket, key, answer["UploadId"])


async def copy(
    storage: Storage,
    bucket: str,
    source: str,
    key: str,
    *,
    size: int,
    etag: str,
    content_type: str,
) -> None:
    """Have the store copy an object of any size, as long as it has that ETag."""
    made = await begin(storage, bucket, key, content_type=content_type)
    try:
        await made.complete(await made.copy(source, size=size, etag=etag))
    except ServiceError:
        await made.abort()
        raise


async def unfinished(
    storage: Storage, bucket: str, *, at_once: int = 1_000
) -> AsyncGenerator[tuple[Multipart, datetime]]:
    """Go through what is neither complete nor aborted, with the time at which it was begun."""
    asked: dict[str, Any] = {"Bucket": bucket, "MaxUploads": at_once}
    while True:
        answer = await storage.call("list_multipart_uploads", **asked)
        for found in answer.get("Uploads", ()):
            yield Multipart(storage, bucket, found["Key"], found["UploadId"]), found["Initiated"]
        markers = {n: answer[f"Next{n}"] for n in _MARKERS if answer.get(f"Next{n}")}
        if not answer.get("IsTruncated") or not markers:
            return
        asked |= markers


def _measured(body: IO[bytes]) -> tuple[int, str]:
    """Return how many bytes there are, and their MD5 as S3 wants it; they can be read again."""
    md5 = hashlib.md5(usedforsecurity=False)
    body.seek(0)
    while piece := body.read(_READ_BYTES):
        md5.update(piece)
    size = body.tell()
    body.seek(0)
    return size, b64encode(md5.digest()).decode()


def _bare(etag: str) -> str:
    return etag.strip('"')
