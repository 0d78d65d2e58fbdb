"""Reading templates from folders: each has a ``template.json`` that describes it."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from registry.settings import Settings
from registry.templates.types import Bundle, File, Manifest, faults, file_of

MANIFEST = "template.json"
_SKIPPED = frozenset({"node_modules", "__pycache__"})


class FolderError(Exception):
    """A folder cannot be published; the message says everything that is wrong."""


def bundles(root: Path, settings: Settings) -> list[Bundle]:
    """Read every template below ``root``; raises ``FolderError`` if any has a fault."""
    if not root.is_dir():
        raise FolderError(f"{root} is no folder.")
    read: dict[str, Bundle] = {}
    wrong: list[str] = []
    for manifest in sorted(root.glob(f"*/{MANIFEST}")):
        folder = manifest.parent
        try:
            bundle = bundle_of(folder, settings)
        except FolderError as exc:
            wrong.append(str(exc))
            continue
        if bundle.manifest.id in read:
            wrong.append(f"{folder.name}: another folder has the id {bundle.manifest.id}, too.")
        read[bundle.manifest.id] = bundle
    if wrong:
        raise FolderError("\n".join(wrong))
    return list(read.values())


def bundle_of(folder: Path, settings: Settings) -> Bundle:
    """Read one template; raises ``FolderError``."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise FolderError(f"{folder.name}: {MANIFEST}: {exc}") from exc
    bundle = Bundle(manifest, _files(folder, manifest.exclude, settings))
    wrong = faults(bundle)
    if wrong:
        raise FolderError(f"{folder.name}: {' '.join(wrong)}")
    return bundle


def _files(folder: Path, excluded: list[str], settings: Settings) -> list[File]:
    files: list[File] = []
    size = 0
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        if name == MANIFEST or _is_excluded(name, excluded):
            continue
        # looked at before it is read: a folder may hold anything
        size += path.stat().st_size
        if len(files) >= settings.template_files_max or size > settings.template_bytes_max:
            raise FolderError(
                f"{folder.name}: more than {settings.template_files_max} files"
                f" or {settings.template_bytes_max} bytes."
            )
        files.append(file_of(name, path.read_bytes()))
    return files


def _paths(folder: Path) -> Iterator[Path]:
    """Every plain file below; what a link points to is not the folder's own."""
    for path, folders, names in folder.walk():
        folders[:] = sorted(n for n in folders if n not in _SKIPPED and not n.startswith("."))
        for name in sorted(names):
            found = path / name
            if found.is_file() and not found.is_symlink():
                yield found


def _is_excluded(name: str, excluded: list[str]) -> bool:
    """Whether a pattern covers the path or a folder that it is in."""
    parts = name.split("/")
    above = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    return any(fnmatchcase(part, pattern.rstrip("/")) for pattern in excluded for part in above)
