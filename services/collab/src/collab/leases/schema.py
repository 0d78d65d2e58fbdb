"""What is known of a project's owner."""

from uuid import UUID

import msgspec


class Node(msgspec.Struct, frozen=True):
    """A process of this service: its ``id`` is new with every start."""

    id: UUID
    host: str
    http_port: int
    socket_port: int


class Owner(msgspec.Struct, frozen=True):
    """Another process that holds a project, and since which epoch."""

    epoch: int
    id: UUID
    host: str
    http_port: int
    socket_port: int


class Held(msgspec.Struct, frozen=True):
    """A project that a process holds."""

    project_id: UUID
    epoch: int
