"""What a build is made of, as the service and its workers both speak of it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from builds.encodings import Coding

type Target = Literal["web", "electron", "cordova"]
type Status = Literal[
    "queued", "building", "success", "failed", "cancelled", "timed_out", "superseded"
]
type StepStatus = Literal["running", "success", "failed", "skipped"]

UNFINISHED: tuple[Status, ...] = ("queued", "building")
RETRYABLE: tuple[Status, ...] = ("failed", "cancelled", "timed_out", "superseded")


class Step(Struct, frozen=True, rename="camel"):
    """A part of a build, and how long it took."""

    name: str
    started_at: datetime
    duration_ms: int | None
    status: StepStatus


class Diagnostic(Struct, frozen=True, rename="camel"):
    """What a tool has to say about a place in the project. Lines and columns count from 1."""

    file: str | None
    line: int | None
    column: int | None
    code: str
    message: str
    severity: Literal["error", "warning"]


class Artifact(Struct, frozen=True, rename="camel"):
    """A file to download."""

    name: str
    platform: str
    size: int
    sha256: str
    mime_type: str
    url: str = ""


class Options(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How the bundle is made."""

    minify: bool = True
    sourcemap: bool = True


class File(Struct, frozen=True):
    """A file of the project as it was."""

    path: str
    hash: str
    size: int


class Variant(Struct, frozen=True, rename="camel"):
    """The same as an asset, of the same type and without loss, in fewer bytes."""

    sha256: str
    size: int
    url: str


class Asset(Struct, frozen=True, rename="camel"):
    """An asset of the project as it was. ``url`` reads it for a while."""

    name: str
    sha256: str
    size: int
    url: str
    variants: list[Variant] = []


class Manifest(Struct, frozen=True, rename="camel"):
    """All that a build is made from."""

    seq: int
    files: list[File]
    assets: list[Asset]


class Page(Struct, frozen=True, omit_defaults=True):
    """A file of a site that is played."""

    size: int
    sha256: str
    # copies of it beside it, by how they are encoded, and their sizes
    encodings: dict[Coding, int] = field(default_factory=dict)
    # how its own bytes are encoded, where the project brought it so
    coding: Coding | None = None
    # whether the project wants its pages kept apart from all others
    isolated: bool = False
    # where it begins in the site's pack, with its copies behind it; else it is an object of its own
    at: int | None = None

    def where(self, coding: Coding | None) -> int | None:
        """Where in the pack the file begins, or its copy of this encoding."""
        if self.at is None or coding is None:
            return self.at
        # in the order of their names: a stored row keeps no other
        before = (size for one, size in self.encodings.items() if one < coding)
        return self.at + self.size + sum(before)


class BuildError(Exception):
    """A build ends here, and its owner is told why."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        diagnostics: list[Diagnostic] | None = None,
        status: Literal["failed", "timed_out"] = "failed",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.diagnostics = diagnostics or []
        self.status = status
