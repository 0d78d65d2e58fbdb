"""Which packager makes what."""

from collections.abc import Mapping

from builds.packagers import cordova, electron, web
from builds.packagers.types import Packager

_ALL: tuple[Packager, ...] = (web, electron, cordova)
PACKAGERS: Mapping[str, Packager] = {packager.TARGET: packager for packager in _ALL}
"""Each target's packager, by the target's name."""


def version(target: str) -> str:
    """What goes into a build's key for its packagers: the site's, and the one of the target."""
    return " ".join(dict.fromkeys((web.VERSION, PACKAGERS[target].VERSION)))
