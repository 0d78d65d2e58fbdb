"""The package: a site of pages, bundles and files, and the same as one archive."""

import hashlib
import zipfile
from pathlib import Path, PurePosixPath

from builds import steps
from builds.mime import media_type
from builds.pipeline import page
from builds.pipeline.bundle import Bundle
from builds.pipeline.cache import Cache
from builds.pipeline.context import Rooms
from builds.pipeline.plan import Plan, is_copied
from builds.types import Artifact, Manifest, Page

STEP = steps.PACKAGE
ARCHIVE = "web.zip"
INDEX = "index.html"

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PERMISSIONS = 0o100644 << 16
_UNIX = 3
_LEVEL = 6
_PIECE = 1 << 20
# compressed already: deflating them again costs time and saves nothing
_DENSE = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".ogg", ".mp3", ".m4a", ".mp4", ".webm"}
    | {".woff", ".woff2", ".zip", ".gz", ".br", ".glb", ".ktx2"}
)


def site(plan: Plan, bundle: Bundle, manifest: Manifest, rooms: Rooms, cache: Cache) -> None:
    """Put the site together in its room."""
    hashes = {f.path: f.hash for f in manifest.files}
    hashes |= {f"assets/{a.name}": a.sha256 for a in manifest.assets}
    for path in plan.files:
        if is_copied(path, bundle.inputs) and path in hashes:
            cache.place(hashes[path], rooms.site / path)
    for path in bundle.files:
        target = rooms.site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        (rooms.bundle / path).rename(target)
    text = page.bundled(plan.page, bundle.scripts, bundle.styles)
    # never through a link into the cache
    (rooms.site / plan.page_path).unlink(missing_ok=True)
    index = rooms.site / INDEX
    index.unlink(missing_ok=True)
    index.write_text(text, encoding="utf-8")


def pages(folder: Path) -> dict[str, Page]:
    """Every file of the site by its path, in order."""
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): Page(p.stat().st_size, _sha256(p)) for p in found}


def archive(folder: Path, paths: list[str], target: Path) -> Artifact:
    """Zip the site: the same files make the same bytes, whenever and wherever."""
    with zipfile.ZipFile(target, "w") as made:
        for path in sorted(paths):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _PERMISSIONS
            is_dense = PurePosixPath(path).suffix.lower() in _DENSE
            entry.compress_type = zipfile.ZIP_STORED if is_dense else zipfile.ZIP_DEFLATED
            entry.compress_level = _LEVEL
            entry.file_size = (folder / path).stat().st_size
            with (folder / path).open("rb") as source, made.open(entry, "w") as inside:
                while piece := source.read(_PIECE):
                    inside.write(piece)
    return Artifact(
        name=target.name,
        platform="web",
        size=target.stat().st_size,
        sha256=_sha256(target),
        mime_type=media_type(target.name),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
