"""The package: the site put together, and what its target makes of it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from builds import steps, stopping
from builds.encodings import ENDINGS, Coding
from builds.mime import media_type
from builds.packagers import twins, zips
from builds.packagers.choice import PACKAGERS
from builds.packagers.types import INDEX, About, Content, Game
from builds.pipeline import pack, page
from builds.pipeline.bundle import Bundle
from builds.pipeline.cache import Cache
from builds.pipeline.context import Rooms
from builds.pipeline.plan import Plan, is_copied
from builds.types import Artifact, BuildError, Manifest, Page

STEP = steps.PACKAGE


class Packed(Struct, frozen=True):
    """What is to be stored: the site that is played, as a pack and large files, and the artifact.

    ``site`` has all its files, ``alone`` those that are not in the ``pack``, and their twins.
    """

    pages: dict[str, Page]
    site: dict[str, Path]
    pack: Path
    alone: dict[str, Path]
    artifact: Artifact
    archive: Path


def site(plan: Plan, bundle: Bundle, manifest: Manifest, rooms: Rooms, cache: Cache) -> None:
    """Put the site together in its room."""
    hashes = {f.path: f.hash for f in manifest.files}
    hashes |= {f"assets/{a.name}": a.sha256 for a in manifest.assets}
    for path in plan.files:
        if is_copied(path, bundle.inputs) and path in hashes:
            cache.place(hashes[path], rooms.site / path)
    for path in bundle.files:
        _move(rooms.bundle / path, rooms.site, path)
    text = page.bundled(plan.page, bundle.scripts, bundle.styles)
    # never through a link into the cache
    (rooms.site / plan.page_path).unlink(missing_ok=True)
    index = rooms.site / INDEX
    index.unlink(missing_ok=True)
    index.write_text(text, encoding="utf-8")


def _move(file: Path, site: Path, path: str) -> None:
    """Move what was made into the site, where it takes the place of a file of the project."""
    target = site / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # never through a link into the cache
        target.unlink(missing_ok=True)
        file.rename(target)
    except OSError as exc:
        folders = [folder for folder in target.parents if folder.is_relative_to(site)]
        if not target.is_dir() and all(folder.is_dir() for folder in folders):
            raise
        message = f"A file or folder of the project is in the way of {path}, which is made here."
        raise BuildError("CONFIG_INVALID", message) from exc


def packed(target: str, about: About, sealed: frozenset[str], rooms: Rooms) -> Packed:
    """Pack the game for its target; whatever that is, it is played as a site."""
    found = sorted(p for p in rooms.site.rglob("*") if p.is_file())
    files = {str(p.relative_to(rooms.site)): p for p in found}
    game = Game(about, files, sealed & files.keys())
    site = _placed(PACKAGERS["web"].pack(game, _folder(rooms, "web")), _folder(rooms, "made"))
    contents: Mapping[str, Content] = site
    if target != "web":
        contents = PACKAGERS[target].pack(game, _folder(rooms, target))
    archive = rooms.root / f"{target}.zip"
    zips.write(contents, archive)
    artifact = Artifact(
        name=archive.name,
        platform=target,
        size=archive.stat().st_size,
        sha256=_sha256(archive),
        mime_type=media_type(archive.name),
    )
    made = twins.write(site, _folder(rooms, "twins"))
    beside = {p + ENDINGS[e]: file for p, of in made.items() for e, file in of.items()}
    small = rooms.root / "site.pack"
    placed, alone = pack.written(pages(site, made), site | beside, small)
    return Packed(placed, site, small, alone, artifact, archive)


def _folder(rooms: Rooms, name: str) -> Path:
    folder = rooms.root / "packages" / name
    folder.mkdir(parents=True)
    return folder


def _placed(files: Mapping[str, Content], folder: Path) -> dict[str, Path]:
    """The files as they lie on the disk; what was in memory is written to ``folder``."""
    found: dict[str, Path] = {}
    for path, content in files.items():
        if isinstance(content, Path):
            found[path] = content
        else:
            found[path] = folder / path
            found[path].parent.mkdir(parents=True, exist_ok=True)
            found[path].write_bytes(content)
    return found


def pages(site: Mapping[str, Path], made: Mapping[str, Mapping[Coding, Path]]) -> dict[str, Page]:
    """Every file of the site by its path, in order, and how large its twins are."""
    return {
        path: Page(
            file.stat().st_size,
            _sha256(file),
            {encoding: twin.stat().st_size for encoding, twin in made.get(path, {}).items()},
        )
        for path, file in sorted(site.items())
    }


def _sha256(path: Path) -> str:
    stopping.look()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
