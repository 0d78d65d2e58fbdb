"""What every event carries: CloudEvents 1.0 attributes around the publisher's own facts."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happened. A field is added with a default, and never removed or renamed."""

    subject: ClassVar[str]


class CloudEvent[E](msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way, in CloudEvents' structured JSON; ``subject`` is the ordering key."""

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    data: E
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"
    requestid: str = ""
    traceparent: str = ""
