"""How a file's bytes leave: under their hash as the entity tag, in whole or in part."""

from common import ranges, slim


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
    asked = headers.get(b"range") if headers.get(b"if-range", etag) == etag else None
    span = ranges.wanted(asked.decode("latin-1") if asked else None, len(data))
    more: slim.Headers = ()
    if span == "whole":
        body, status = data, 200
    elif span == "unsatisfiable":
        return slim.empty(416, ((b"content-range", b"bytes */%d" % len(data)),))
    else:
        first, last = span
        body, status = data[first : last + 1], 206
        more = ((b"content-range", b"bytes %d-%d/%d" % (first, last, len(data))),)
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


def tag_of(value: bytes | None) -> str | None:
    """The hash of an entity tag, quoted, weak or bare; of several tags with commas between."""
    if value is None:
        return None
    tags = value.decode("latin-1").split(",")
    return ",".join(tag.strip().removeprefix("W/").strip('"') for tag in tags)


def tree_sent(digest: str, entries: bytes, depth: int, known: str | None) -> slim.Reply:
    """Answer with a tree under its hash and depth as the entity tag; 304 for who knows it."""
    tag = f"{digest}-{depth}"
    headers = ((b"etag", f'"{tag}"'.encode()), (b"cache-control", b"no-cache"))
    if known == tag:
        return slim.empty(304, headers)
    body = b'{"hash":"' + digest.encode() + b'","entries":' + entries + b"}"
    return slim.json(body, headers=headers)


def hash_of_tree(known: str | None, depth: int) -> str | None:
    """The hash in a tree's entity tag, if it is one of that depth."""
    digest, _, of_depth = (known or "").partition("-")
    return digest if of_depth == str(depth) else None
