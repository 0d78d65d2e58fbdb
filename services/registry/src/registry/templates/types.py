"""What a template is made of, before and beside the database."""

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

type Encoding = Literal["utf-8", "base64"]

# of a UUID's length and more would be ambiguous in a path that takes either
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=35)]
Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Text = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Version = Annotated[
    str,
    Meta(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$", max_length=100),
]

PICTURES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


class Variable(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Something that is filled in when a project starts: ``default`` stands for it in ``files``."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=50)]
    description: Text
    # an empty one would stand everywhere
    default: Line
    files: list[str]
    max_length: Annotated[int, Meta(ge=1, le=1000)] = 200


class Manifest(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """``template.json``: what is said about a template, and what of its folder is not in it."""

    id: Slug
    name: Line
    description: Text
    version: Version
    licence: Line
    engine: Line
    language: Line
    tags: list[Line] = []
    thumbnail: str | None = None
    exclude: list[str] = []
    variables: list[Variable] = []


class File(Struct, frozen=True):
    """A file of a template."""

    path: str
    data: bytes
    hash: str
    encoding: Encoding


def file_of(path: str, data: bytes) -> File:
    """Look at a file's bytes."""
    return File(path, data, hashlib.sha256(data).hexdigest(), _encoding(data))


def _encoding(data: bytes) -> Encoding:
    if b"\0" in data:
        return "base64"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "base64"
    return "utf-8"


class Bundle(Struct, frozen=True):
    """A whole template, ready to be published."""

    manifest: Manifest
    files: list[File]

    @property
    def tree_hash(self) -> str:
        """SHA-256 over ``path NUL hash LF`` for each file, in the order of the paths' bytes."""
        ordered = sorted(self.files, key=lambda file: file.path.encode())
        lines = b"".join(f"{file.path}\0{file.hash}\n".encode() for file in ordered)
        return hashlib.sha256(lines).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 over all that callers can see of it."""
        said = msgspec.structs.replace(self.manifest, exclude=[])
        return hashlib.sha256(msgspec.json.encode([said, self.tree_hash])).hexdigest()


def faults(bundle: Bundle) -> list[str]:
    """Return what is wrong with a template, in sentences."""
    manifest = bundle.manifest
    texts = {file.path: file.data for file in bundle.files if file.encoding == "utf-8"}
    found = [] if bundle.files else ["It has no files."]
    if manifest.thumbnail is not None:
        if manifest.thumbnail not in {file.path for file in bundle.files}:
            found.append(f"Its thumbnail {manifest.thumbnail} is not among its files.")
        if PurePosixPath(manifest.thumbnail).suffix not in PICTURES:
            found.append(f"Its thumbnail is none of {', '.join(PICTURES)}.")
    found += [f"There are two variables {name}." for name in _twice(manifest.variables)]
    for variable in manifest.variables:
        wanted = variable.default.encode()
        found += [
            f"The default of variable {variable.name} is not in the text of {path}."
            for path in variable.files
            if wanted not in texts.get(path, b"")
        ]
    return found


def _twice(variables: Iterable[Variable]) -> list[str]:
    names = [variable.name for variable in variables]
    return sorted({name for name in names if names.count(name) > 1})
