"""What the headers of TUS 1.0 say, read strictly."""

import re
from base64 import b64decode, b64encode
from datetime import datetime
from email.utils import format_datetime
from uuid import UUID

import msgspec

from common.errors import InvalidError
from common.multipart import Part

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
# the protocol's name, and ours
ALGORITHMS = ("sha1", "sha256")
BYTES_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[!-+\--~]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MIME_TYPE = re.compile(r"[a-zA-Z0-9!#$&^_.+-]{1,63}/[a-zA-Z0-9!#$&^_.+-]{1,63}")


class Checksum(msgspec.Struct, frozen=True):
    """What the bytes of a request should have."""

    algorithm: str
    digest: bytes


class Said(msgspec.Struct, frozen=True):
    """What a sender says of a file."""

    project_id: UUID
    name: str
    content_type: str
    sha256: str | None


class Resumable(msgspec.Struct, frozen=True):
    """An upload: ``received`` bytes are in the store, in ``parts`` and ``tail``."""

    id: UUID
    project_id: UUID
    user_id: UUID
    name: str
    content_type: str
    size: int
    sha256: str | None
    multipart_id: str
    received: int
    parts: list[Part]
    tail: int | None
    asset_id: UUID | None
    is_ended: bool
    expires_at: datetime

    @property
    def tail_size(self) -> int:
        """How many bytes are in no part yet."""
        return self.received - sum(part.size for part in self.parts)


def number(name: str, text: str | None) -> int:
    """Read a header that is a number of bytes; raises ``InvalidError``."""
    if text is None or not _NUMBER.fullmatch(text):
        raise InvalidError.of(name, "This is to be a number of bytes.")
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """Read ``Upload-Metadata``: keys, and values in Base64; raises ``InvalidError``."""
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _, value = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise InvalidError.of("Upload-Metadata", "Keys are visible ASCII, each given once.")
        try:
            found[key] = b64decode(value.strip(), validate=True).decode()
        except ValueError as exc:
            raise InvalidError.of(key, "This is not UTF-8 in Base64.") from exc
    return found


def said(header: str) -> Said:
    """Read what is said of a file; other keys are passed over, because clients add their own."""
    given = metadata(header)
    try:
        project_id = UUID(given["projectId"])
    except KeyError as exc:
        raise InvalidError.of("projectId", "This is required.") from exc
    except ValueError as exc:
        raise InvalidError.of("projectId", "This is no UUID.") from exc
    content_type = given.get("filetype") or "application/octet-stream"
    if not _MIME_TYPE.fullmatch(content_type.partition(";")[0].strip()):
        raise InvalidError.of("filetype", "This is no media type.")
    sha256 = given.get("sha256") or None
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise InvalidError.of("sha256", "This is no SHA-256 in small hexadecimal digits.")
    if "filename" not in given:
        raise InvalidError.of("filename", "This is required.")
    return Said(project_id, given["filename"], content_type.partition(";")[0].strip(), sha256)


def checksum(header: str | None) -> Checksum | None:
    """Read ``Upload-Checksum``; raises ``InvalidError`` for what cannot be checked."""
    if header is None:
        return None
    algorithm, _, value = header.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidError.of("Upload-Checksum", f"Use one of: {', '.join(ALGORITHMS)}.")
    try:
        return Checksum(algorithm, b64decode(value.strip(), validate=True))
    except ValueError as exc:
        raise InvalidError.of("Upload-Checksum", "This is not Base64.") from exc


def date(when: datetime) -> str:
    """A time as HTTP has it."""
    return format_datetime(when, usegmt=True)


def written(upload: Resumable) -> str:
    """Say of an upload what its sender said, as the header ``Upload-Metadata``."""
    pairs = {
        "projectId": str(upload.project_id),
        "filename": upload.name,
        "filetype": upload.content_type,
    }
    if upload.sha256 is not None:
        pairs["sha256"] = upload.sha256
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in pairs.items())
