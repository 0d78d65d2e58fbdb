"""One process of the assets service, and a project whose owner asks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec

from benchmarks.harness import database
from benchmarks.projects import subject
from benchmarks.projects.subject import Service
from common.ids import uuid7
from fleet.context import Context
from fleet.stores import postgres

UPLOAD = "/api/v1/assets/upload"
MEBIBYTE = 1 << 20
_ROOM = 64 * MEBIBYTE


class Library(msgspec.Struct, frozen=True):
    """The service, and a project of which it heard that the caller owns it."""

    service: Service
    project_id: UUID


@contextmanager
def library(context: Context, *, is_public: bool, bytes_max: int) -> Iterator[Library]:
    """Run the service so that files of so many bytes are taken; give it one project."""
    user, project_id = uuid7(), uuid7()
    more = {
        "ASSET_BYTES_MAX": str(bytes_max + MEBIBYTE),
        "BATCH_BYTES_MAX": str(bytes_max + _ROOM),
        "LARGE_BYTES_MAX": str(bytes_max + MEBIBYTE),
        "LIBRARY_BYTES_MAX": str(64 * (bytes_max + _ROOM)),
    }
    with subject.service(context, user, name="assets", more=more) as service:
        row = (project_id, 1, is_public, False, msgspec.json.encode({str(user): "owner"}).decode())
        columns = ("resource_id", "version", "is_public", "is_deleted", "roles")
        database.fill(postgres.url(context, postgres.USER), "assets", {"access": (columns, [row])})
        yield Library(service, project_id)
