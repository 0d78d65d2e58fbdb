"""Variable-length integers as lib0 writes them: seven bits a byte, the lowest first."""

_SHIFT_MAX = 63


class MalformedError(ValueError):
    """Bytes that are not what the protocol has here."""


def encode(value: int) -> bytes:
    """Encode a non-negative integer."""
    if value < 0x80:  # noqa: PLR2004 - one byte holds seven bits
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - as above
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)


def read(data: bytes, at: int) -> tuple[int, int]:
    """Return the integer at ``at`` and the position behind it; raises ``MalformedError``."""
    try:
        byte = data[at]
        if byte < 0x80:  # noqa: PLR2004 - most integers are one byte
            return byte, at + 1
        value, shift = byte & 0x7F, 7
        while True:
            at += 1
            byte = data[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte
                return value, at + 1
            shift += 7
            if shift > _SHIFT_MAX:
                raise MalformedError("An integer is too long.")
    except IndexError:
        raise MalformedError("An integer is cut short.") from None


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the length-prefixed bytes at ``at`` and the position behind them."""
    length, at = read(data, at)
    end = at + length
    if end > len(data):
        raise MalformedError("Bytes are cut short.")
    return data[at:end], end


def read_count(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of things that follow; each takes a byte at least.

    Libraries make room for as many as they are told of, so a lie must not reach them.
    """
    count, at = read(data, at)
    if count > len(data) - at:
        raise MalformedError("More things are promised than bytes are there.")
    return count, at
