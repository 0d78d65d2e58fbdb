"""What the bytes of a result depend on, as one key: the same key, the same bytes."""

import hashlib

import msgspec

from builds.packagers import choice as packagers
from builds.types import Asset, Manifest, Options

RECIPE = "1"
"""To be changed whenever the same input would make other bytes than before."""


def key(toolchain: str, target: str, options: Options, manifest: Manifest) -> str:
    """Return the key of a build; neither order nor addresses nor the moment count."""
    files = sorted((file.path, file.hash) for file in manifest.files)
    assets = sorted(_of(asset) for asset in manifest.assets)
    parts = [RECIPE, toolchain, packagers.version(target), target, options, files, assets]
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def _of(asset: Asset) -> tuple[str, str, list[str]]:
    return asset.name, asset.sha256, sorted(variant.sha256 for variant in asset.variants)
