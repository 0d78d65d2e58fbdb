"""An archive as it comes in, by itself or in a multipart form: never whole in memory."""

from collections.abc import AsyncIterator
from pathlib import PurePosixPath

import msgspec
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from common.errors import InvalidError, PayloadTooLargeError
from projects.archives.spool import Spool

_PARTS_MAX = 8
_NAME_BYTES_MAX = 1_000
_NAME_CHARS_MAX = 100


class Form(msgspec.Struct):
    """What came beside the archive: what to call the project, and what the file is called."""

    name: str | None = None
    filename: str | None = None


class _Reader:
    """What is known of a form so far; the archive goes into the spool."""

    def __init__(self, spool: Spool) -> None:
        self.form = Form()
        self._spool = spool
        self._segment: MultipartSegment | None = None
        self._text = bytearray()

    async def take(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._segment is not None and self._segment.name == "file":
            await self._spool.add(event)
        else:
            self._text += event
            if len(self._text) > _NAME_BYTES_MAX:
                raise PayloadTooLargeError(
                    "A field is too long.", {"field": "name", "limit": _NAME_BYTES_MAX}
                )

    def _begin(self, segment: MultipartSegment) -> None:
        self._segment = segment
        name = segment.name or ""
        if name not in {"file", "name"}:
            raise InvalidError.of(name, "There is no such member.")
        if (self.form.filename if name == "file" else self.form.name) is not None:
            raise InvalidError.of(name, "This is given twice.")
        if name == "file":
            self.form.filename = segment.filename or ""

    def _end(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None and segment.name == "name":
            try:
                self.form.name = self._text.decode()
            except UnicodeDecodeError as exc:
                raise InvalidError.of("name", "This is not UTF-8.") from exc


async def received(body: AsyncIterator[bytes], boundary: str, spool: Spool) -> Form:
    """Read a form whose member ``file`` is the archive, and ``name`` the project's name.

    Raises ``InvalidError`` and ``PayloadTooLargeError``.
    """
    reader = _Reader(spool)
    try:
        with PushMultipartParser(boundary, max_segment_count=_PARTS_MAX) as parser:
            async for piece in body:
                if piece and not parser.closed:
                    for event in parser.parse(piece):
                        await reader.take(event)
    except ParserLimitReached as exc:
        raise PayloadTooLargeError("The form has too many parts.", {"limit": _PARTS_MAX}) from exc
    except (MultipartError, UnicodeDecodeError) as exc:
        raise InvalidError.of("", "The body is not a whole multipart form.") from exc
    if reader.form.filename is None:
        raise InvalidError.of("file", "This is required.")
    return reader.form


def called(filename: str | None) -> str:
    """What to call a project that comes in a file of that name."""
    last = PurePosixPath((filename or "").replace("\\", "/")).name
    stem = last[:-4] if last.lower().endswith(".zip") else last
    plain = "".join(c for c in stem if c.isprintable()).strip()
    return plain[:_NAME_CHARS_MAX].strip() or "Imported project"
