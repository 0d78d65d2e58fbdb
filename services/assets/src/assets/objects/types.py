"""What a presigned URL was made for: signed into it, and asked about whenever it is used."""

import re
from urllib.parse import unquote_to_bytes
from uuid import UUID

from msgspec import Struct

_NAME = "x-grant"
_ID = rb"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_VALUE = re.compile(_ID + rb"\." + _ID)
_UPLOAD = re.compile(rb"/assets/uploads/" + _ID)


class Grant(Struct, frozen=True):
    """Somebody's place in a project; nobody's is good while the project is public."""

    user_id: UUID
    project_id: UUID

    @property
    def marks(self) -> dict[str, str]:
        """How it is written into a URL."""
        return {_NAME: f"{self.user_id}.{self.project_id}"}


def read(query: bytes) -> Grant | None:
    """Read the grant of a URL, if it stands there once and just as it is written.

    The store checks that it was signed, and passes over parameters that it cannot decode. What
    would be read otherwise here than there must not be read at all.
    """
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    values = [value for name, _, value in pairs if unquote_to_bytes(name) == _NAME.encode()]
    found = _VALUE.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        return None
    return Grant(UUID(found[1].decode()), UUID(found[2].decode()))


def upload_in(path: str) -> UUID | None:
    """Return the upload whose object a path of the store names."""
    found = _UPLOAD.fullmatch(path.encode())
    return UUID(found[1].decode()) if found else None
