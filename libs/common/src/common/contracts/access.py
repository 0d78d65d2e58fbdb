"""Who may do what with one resource: what its owner announces and answers."""

from uuid import UUID

import msgspec


class Access(msgspec.Struct, frozen=True, rename="camel"):
    """A snapshot as of ``version``; a newer one replaces an older. ``roles`` is user id to role."""

    resource_id: UUID
    version: int
    is_public: bool
    is_deleted: bool
    roles: dict[str, str]
