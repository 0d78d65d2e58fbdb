"""What crosses the edge of presigned uploads."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from assets.types import Kind

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
type Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
type MimeType = Annotated[
    str, msgspec.Meta(max_length=127, pattern=r"\A[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+\Z")
]


class NewUpload(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A file that will be sent straight to the object store; ``sha256`` is checked there too."""

    project_id: UUID
    name: Text
    size: Annotated[int, msgspec.Meta(ge=1)]
    content_type: MimeType
    sha256: Hash | None = None
    type: Kind | None = None


class Upload(msgspec.Struct, frozen=True, rename="camel"):
    """Where to send the file, and with which headers, just so; then complete the upload."""

    id: UUID
    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: datetime
