"""What unit tests of the worker share."""

import pytest

from builds.packages.cache import PackageCache
from builds.packages.folders import Folders
from builds.pipeline.cache import Cache
from builds.pipeline.context import Workshop
from builds.pipeline.state import States
from builds.sandbox.none import Nothing
from builds.settings import Settings
from common.settings import load

_UNNEEDED = {"DATABASE_URL": "-", "FLEET_SECRET": "-", "NATS_URL": "-", "PLAY_SECRET": "-"}


@pytest.fixture
def shop(tmp_path):
    """A worker's own things, without tools, and without a registry."""
    settings = load(Settings, _UNNEEDED)
    return Workshop(
        settings=settings,
        sandbox=Nothing(),
        cache=Cache(tmp_path / "blobs"),
        packages=PackageCache(tmp_path / "npm"),
        vendor=Folders(tmp_path / "vendor"),
        states=States(tmp_path / "states", settings.state_bytes_max),
        tsc=tmp_path,
        esbuild=tmp_path,
        esbuild_digest="",
        rooms=tmp_path / "rooms",
    )
