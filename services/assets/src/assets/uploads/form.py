"""A multipart form, read as it comes: no file is ever held whole, and everything has a limit."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from assets.uploads.spool import Spool
from common.errors import InvalidError, PayloadTooLargeError

_FIELDS_MAX = 16


class Limits(msgspec.Struct, frozen=True):
    """How much a form may hold."""

    files_max: int
    file_bytes_max: int
    total_bytes_max: int
    field_bytes_max: int
    spool_bytes_max: int


class FormFile(msgspec.Struct, frozen=True):
    """A file of a form."""

    name: str
    content_type: str
    sha256: str
    spool: Spool


class Form(msgspec.Struct, frozen=True):
    """What a form holds."""

    fields: dict[str, str]
    files: list[FormFile]


class _Reader:
    """What is known of the form so far; ``file_field`` is the field that files come in."""

    def __init__(self, file_field: str, fields: frozenset[str], limits: Limits) -> None:
        self.form = Form({}, [])
        self.spools: list[Spool] = []
        self._file_field = file_field
        self._fields = fields
        self._limits = limits
        self._segment: MultipartSegment | None = None
        self._text = bytearray()

    async def take(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            await self._end()
        elif self._is_file:
            await self.spools[-1].add(event)
        else:
            self._text += event
            limit = self._limits.field_bytes_max
            if len(self._text) > limit:
                name = self._segment.name if self._segment else ""
                raise PayloadTooLargeError("A field is too long.", {"field": name, "limit": limit})

    @property
    def _is_file(self) -> bool:
        return self._segment is not None and self._segment.name == self._file_field

    def _begin(self, segment: MultipartSegment) -> None:
        self._segment = segment
        self._text.clear()
        name = segment.name or ""
        if self._is_file:
            limits = self._limits
            if len(self.spools) >= limits.files_max:
                raise PayloadTooLargeError(
                    "There are too many files.", {"field": name, "limit": limits.files_max}
                )
            self.spools.append(
                Spool(memory_bytes=limits.spool_bytes_max, size_max=limits.file_bytes_max)
            )
        elif name not in self._fields:
            raise InvalidError.of(name, "There is no such member.")
        elif name in self.form.fields:
            raise InvalidError.of(name, "This is given twice.")

    async def _end(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        if segment.name == self._file_field:
            spool = self.spools[-1]
            sha256 = await spool.finish()
            self.form.files.append(
                FormFile(segment.filename or "", segment.content_type or "", sha256, spool)
            )
        else:
            try:
                self.form.fields[segment.name or ""] = self._text.decode()
            except UnicodeDecodeError as exc:
                raise InvalidError.of(segment.name or "", "This is not UTF-8.") from exc


@asynccontextmanager
async def received(
    body: AsyncIterator[bytes],
    boundary: str,
    file_field: str,
    fields: frozenset[str],
    limits: Limits,
) -> AsyncGenerator[Form]:
    """Read a form whose files are in ``file_field``; they are gone when the block ends.

    Raises ``InvalidError`` and ``PayloadTooLargeError``.
    """
    reader = _Reader(file_field, fields, limits)
    try:
        await _read(body, boundary, reader, limits)
        yield reader.form
    finally:
        for spool in reader.spools:
            spool.close()


async def _read(body: AsyncIterator[bytes], boundary: str, reader: _Reader, limits: Limits) -> None:
    total = 0
    try:
        with PushMultipartParser(
            boundary, max_segment_count=limits.files_max + _FIELDS_MAX
        ) as parser:
            async for piece in body:
                total += len(piece)
                if total > limits.total_bytes_max:
                    raise PayloadTooLargeError(
                        "The request is too large.", {"limit": limits.total_bytes_max}
                    )
                if piece and not parser.closed:
                    for event in parser.parse(piece):
                        await reader.take(event)
    except ParserLimitReached as exc:
        raise PayloadTooLargeError(
            "The form has too many parts.", {"limit": limits.files_max}
        ) from exc
    except (MultipartError, UnicodeDecodeError) as exc:
        raise InvalidError.of("", "The body is not a whole multipart form.") from exc
