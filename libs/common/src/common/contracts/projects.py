"""What the projects service announces."""

from typing import ClassVar
from uuid import UUID

from common.contracts.base import Event


class ProjectCreated(Event, frozen=True, kw_only=True):
    """There is a new project."""

    subject: ClassVar[str] = "projects.project.created.v1"

    project_id: UUID
    owner_id: UUID
    name: str
    forked_from: UUID | None = None


class ProjectUpdated(Event, frozen=True, kw_only=True):
    """A project's own members (name, description, settings, visibility) changed."""

    subject: ClassVar[str] = "projects.project.updated.v1"

    project_id: UUID
    actor_id: UUID
    name: str
    is_public: bool


class ProjectDeleted(Event, frozen=True, kw_only=True):
    """A project went to the trash, or for good; from which ``address`` is not for its members."""

    subject: ClassVar[str] = "projects.project.deleted.v1"

    project_id: UUID
    actor_id: UUID
    purged: bool = False
    name: str = ""
    address: str = ""


class ProjectRestored(Event, frozen=True, kw_only=True):
    """A project came back out of the trash, as it was."""

    subject: ClassVar[str] = "projects.project.restored.v1"

    project_id: UUID
    actor_id: UUID
    name: str


class AccessChanged(Event, frozen=True, kw_only=True):
    """Who may do what with a project, whole, as of ``version``; a newer one replaces an older."""

    subject: ClassVar[str] = "projects.access.changed.v1"

    project_id: UUID
    version: int
    is_public: bool
    is_deleted: bool
    roles: dict[str, str]


class FileChange(Event, frozen=True, kw_only=True):
    """What every change of a file tells: where, by whom, and what it is now."""

    project_id: UUID
    path: str
    actor_id: UUID
    origin: str


class FileCreated(FileChange, frozen=True, kw_only=True):
    """There is a new file."""

    subject: ClassVar[str] = "projects.file.created.v1"

    version: int
    hash: str
    size: int


class FileUpdated(FileChange, frozen=True, kw_only=True):
    """A file has new content."""

    subject: ClassVar[str] = "projects.file.updated.v1"

    version: int
    hash: str
    size: int


class FileMoved(FileChange, frozen=True, kw_only=True):
    """A file has another path; its history goes with it."""

    subject: ClassVar[str] = "projects.file.moved.v1"

    to: str
    version: int
    hash: str
    size: int


class FileDeleted(FileChange, frozen=True, kw_only=True):
    """A file is gone from the tree; its history is not."""

    subject: ClassVar[str] = "projects.file.deleted.v1"

    version: int


class TreeFilled(Event, frozen=True, kw_only=True):
    """A new project has its first files, all at once: its tree tells which."""

    subject: ClassVar[str] = "projects.tree.filled.v1"

    project_id: UUID
    actor_id: UUID
    origin: str
    seq: int
    files: int


class MemberChange(Event, frozen=True, kw_only=True):
    """What every change of a member tells; from which ``address`` is not for the others."""

    project_id: UUID
    user_id: UUID
    actor_id: UUID
    address: str = ""


class MemberAdded(MemberChange, frozen=True, kw_only=True):
    """Somebody may enter a project."""

    subject: ClassVar[str] = "projects.member.added.v1"

    role: str


class MemberChanged(MemberChange, frozen=True, kw_only=True):
    """A member has another role."""

    subject: ClassVar[str] = "projects.member.changed.v1"

    role: str
    previous_role: str = ""


class MemberRemoved(MemberChange, frozen=True, kw_only=True):
    """Somebody left a project, or was taken out."""

    subject: ClassVar[str] = "projects.member.removed.v1"

    previous_role: str = ""
