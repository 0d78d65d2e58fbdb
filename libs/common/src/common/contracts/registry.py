"""What the registry service announces."""

from typing import ClassVar
from uuid import UUID

from common.contracts.base import Event


class TemplatePublished(Event, frozen=True, kw_only=True):
    """A template is new, or what it holds is; ``digest`` is the hash of all of it."""

    subject: ClassVar[str] = "registry.template.published.v1"

    template_id: UUID
    slug: str
    name: str
    version: str
    digest: str
