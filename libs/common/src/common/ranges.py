"""Bytes on their way out: entity tags, and one range (RFC 9110) of them if it was asked for."""

import re

from common import slim

# more digits than any file has bytes are no number to reckon with
_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")


def sent(
    data: bytes,
    tag: str,
    known: str | None,
    headers: dict[bytes, bytes],
    content_type: bytes = b"application/octet-stream",
) -> slim.Reply:
    """Answer with ``data``: 200, 206 for a range, 304 for who knows it, 416 for no such range."""
    etag = b'"' + tag.encode() + b'"'
    common = ((b"etag", etag), (b"accept-ranges", b"bytes"), (b"cache-control", b"no-cache"))
    if known == tag:
        return slim.empty(304, common)
    span = _span(headers, etag, len(data))
    more: tuple[tuple[bytes, bytes], ...] = ()
    if span is None:
        body, status = data, 200
    elif span[0] >= span[1]:
        return slim.empty(416, ((b"content-range", b"bytes */%d" % len(data)),))
    else:
        first, end = span
        body, status = data[first:end], 206
        more = ((b"content-range", b"bytes %d-%d/%d" % (first, end - 1, len(data))),)
    return slim.Reply(
        body,
        status,
        (
            (b"content-type", content_type),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"sandbox; default-src 'none'"),
            *common,
            *more,
        ),
    )


def _span(headers: dict[bytes, bytes], etag: bytes, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last; equal where the range cannot be met."""
    asked = _RANGE.fullmatch(headers.get(b"range", b"").strip())
    if asked is None or asked.group() == b"bytes=-":
        return None
    if headers.get(b"if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    end = min(int(last) + 1, size) if last else size
    return (int(first), end) if int(first) < end else (0, 0)


def tag_of(value: bytes | None) -> str | None:
    """The hash of an entity tag, quoted, weak or bare."""
    if value is None:
        return None
    return value.decode("latin-1").strip().removeprefix("W/").strip('"')
