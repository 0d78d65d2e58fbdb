"""What callers receive about a template."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from registry.templates.types import Encoding, Variable


class Template(Struct, frozen=True, rename="camel"):
    """A template; ``POST /api/v1/projects/from-template/{id or slug}`` starts from it."""

    id: UUID
    slug: str
    name: str
    description: str
    version: str
    licence: str
    engine: str
    language: str
    tags: list[str]
    thumbnail_url: str | None
    variables: list[Variable]
    created_at: datetime
    updated_at: datetime


class SourceFile(Struct, frozen=True, rename="camel"):
    """A file of a template, as the fleet passes it on."""

    path: str
    encoding: Encoding
    content: str


class Source(Struct, frozen=True, rename="camel"):
    """All that a project needs to start from a template."""

    id: str
    name: str
    files: list[SourceFile]
    variables: list[Variable]
