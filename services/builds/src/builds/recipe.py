"""What the bytes of a result depend on, as one key: the same key, the same bytes."""

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from builds import sources
from builds.packagers import choice as packagers
from builds.types import Asset, Manifest, Options

RECIPE = "1"
"""To be changed whenever the same input would make other bytes than before for a reason that is
neither in ``MADE_BY`` nor in the toolchain: a setting, the sandbox."""

MADE_BY = ("packages/**/*.py", "pipeline/**/*.py", "vendor/**/*.py", "encodings.py", "mime.py")
"""Our sources that decide about a result; the packagers have versions of their own."""

_HERE = Path(__file__).parent


def key(toolchain: str, target: str, options: Options, manifest: Manifest) -> str:
    """Return the key of a build; neither order nor addresses nor the moment count."""
    files = sorted((file.path, file.hash) for file in manifest.files)
    assets = sorted(_of(asset) for asset in manifest.assets)
    makers = [RECIPE, pipeline(_HERE), toolchain, packagers.version(target)]
    parts = [*makers, target, options, files, assets]
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


@cache
def pipeline(home: Path) -> str:
    """Return what the pipeline is, as one hash of its sources below ``home``."""
    return sources.digest(home, MADE_BY)


def _of(asset: Asset) -> tuple[str, str, list[str]]:
    return asset.name, asset.sha256, sorted(variant.sha256 for variant in asset.variants)
