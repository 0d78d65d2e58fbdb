"""The step that takes smaller files instead of the project's own, where such were made before."""

import msgspec

from builds import steps
from builds.pipeline import fetch
from builds.pipeline.context import Order, Told, Workshop, step
from builds.pipeline.fetch import Origin
from builds.types import Asset

STEP = steps.OPTIMISE


async def assets(order: Order, shop: Workshop, origin: Origin, told: Told) -> Order:
    """Return the order with the smallest of each asset that was there when it was given.

    Nothing is made here, and nothing waited for. A build that is not minified is to be looked into,
    and has its files as they are.
    """
    before = order.manifest.assets
    if not order.options.minify or not any(asset.variants for asset in before):
        return order
    with step(told, STEP):
        after = [smallest(asset) for asset in before]
        changed = {a.sha256: a for a, b in zip(after, before, strict=True) if a is not b}
        missing = [a for a in changed.values() if not shop.cache.has(a.sha256)]
        await fetch.fetch_assets(order, shop, origin, missing)
        saved = sum(a.size for a in before) - sum(a.size for a in after)
        told.say(STEP, f"{len(changed)} assets are {saved} bytes smaller, without loss.")
    manifest = msgspec.structs.replace(order.manifest, assets=after)
    return msgspec.structs.replace(order, manifest=manifest)


def smallest(asset: Asset) -> Asset:
    """The asset, or a variant in its place that has fewer bytes."""
    best = min(asset.variants, key=lambda v: (v.size, v.sha256), default=None)
    return asset if best is None or best.size >= asset.size else fetch.asset_of(asset, best)
