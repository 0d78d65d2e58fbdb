"""How the bytes of one request get into an upload: in parts, and what is no part yet as a tail."""

import hashlib
import secrets
from uuid import UUID

from assets.errors import ChecksumMismatchError, LockedError
from assets.means import Means
from assets.quarantine import service as quarantine
from assets.tus import repository
from assets.tus.types import Checksum, Resumable
from assets.types import BUCKET, quarantine_key
from assets.uploads.spool import Spool
from common.errors import InvalidError, NotFoundError, ServiceError, UnavailableError
from common.multipart import PART_BYTES_MIN, PARTS_MAX, Part

_PART_BYTES = 8 * 1024 * 1024
# of parts that were sent and count for nothing, beyond as many again as the file has
_LOST_MAX = 64
_TAIL_BITS = 62


def tail_key(upload_id: UUID, number: int) -> str:
    """Where a tail is: none is ever written twice."""
    return f"{quarantine_key(upload_id)}.{number}"


class Receiver:
    """Takes the bytes of one request for an upload whose lease is held.

    What is acknowledged is in the store and in the row, and whoever died meanwhile left it so:
    parts get numbers that were never used, tails ones that nobody guesses, and they count when the
    row names them. With a
    checksum nothing is acknowledged before all of it has come.
    """

    def __init__(
        self, means: Means, upload: Resumable, lease: UUID, checksum: Checksum | None
    ) -> None:
        self.received = upload.received
        self._means = means
        self._upload = upload
        self._lease = lease
        self._checksum = checksum
        self._hash = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        self._made = quarantine.of(means, upload.id, upload.multipart_id)
        self._tail = upload.tail
        self._parts: list[Part] = []
        self._spool = self._new_spool()

    def _new_spool(self) -> Spool:
        memory_bytes = self._means.settings.spool_bytes_max
        return Spool(memory_bytes=memory_bytes, size_max=_PART_BYTES)

    def close(self) -> None:
        """Forget what is not in the store."""
        self._spool.close()

    async def open(self) -> None:
        """Bring the tail here: what comes now follows it."""
        if self._tail is None:
            return
        key = tail_key(self._upload.id, self._tail)
        try:
            _, pieces = await self._means.storage.stream(BUCKET, key)
        except NotFoundError as exc:
            raise UnavailableError from exc
        async for piece in pieces:
            await self._spool.add(piece)

    async def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        if self._hash is not None:
            self._hash.update(piece)
        rest = memoryview(piece)
        while rest:
            some = rest[: _PART_BYTES - self._spool.size]
            await self._spool.add(bytes(some))
            self.received += len(some)
            rest = rest[len(some) :]
            if self._spool.size == _PART_BYTES:
                await self._store_part()
                if self._checksum is None:
                    await self._acknowledge(None)

    async def keep(self) -> None:
        """Store what has come and acknowledge it; raises ``ChecksumMismatchError``."""
        if self._checksum and self._hash and self._hash.digest() != self._checksum.digest:
            raise ChecksumMismatchError("The bytes are not those of the checksum.")
        if self.received == self._upload.received and not self._parts:
            return
        tail = None
        is_last = self.received == self._upload.size
        if self._spool.size >= PART_BYTES_MIN or (is_last and self._spool.size):
            await self._store_part()
        elif self._spool.size:
            tail = await self._store_tail()
        await self._acknowledge(tail)

    async def _store_part(self) -> None:
        number = await self._number()
        if number > min(PARTS_MAX, 2 * (self._upload.size // PART_BYTES_MIN) + _LOST_MAX):
            await repository.end(self._means.db, self._upload.id)
            raise InvalidError.of("", "This upload was begun anew too often.")
        await self._spool.finish()
        self._parts.append(await self._made.put(number, self._spool.file))
        self._spool.close()
        self._spool = self._new_spool()

    async def _store_tail(self) -> int:
        number = secrets.randbits(_TAIL_BITS)
        sha256 = await self._spool.finish()
        key = tail_key(self._upload.id, number)
        await self._spool.keep(
            self._means.storage, key, content_type="application/octet-stream", sha256=sha256
        )
        return number

    async def _number(self) -> int:
        number = await repository.numbered(
            self._means.db, self._upload.id, self._lease, self._means.settings.lease_s
        )
        if number is None:
            raise self._lost()
        return number

    async def _acknowledge(self, tail: int | None) -> None:
        is_mine = await repository.advance(
            self._means.db,
            self._upload.id,
            self._lease,
            self._means.settings.lease_s,
            parts=self._parts,
            tail=tail,
            received=self.received,
        )
        if not is_mine:
            raise self._lost()
        self._parts = []
        before, self._tail = self._tail, tail
        if before is not None:
            await self._forget(before)

    async def _forget(self, tail: int) -> None:
        try:
            await self._means.storage.delete(BUCKET, tail_key(self._upload.id, tail))
        except ServiceError:
            return  # it goes with the upload

    @staticmethod
    def _lost() -> LockedError:
        return LockedError(
            "Another request went on with this upload, or ended it.",
            headers={"retry-after": "1"},
        )
