"""Playing: who may, and which file it is."""

from uuid import UUID

from msgspec import Struct

from builds.means import Means
from builds.play import keys, repository
from builds.types import Page
from common.caller import NOBODY
from common.errors import NotFoundError

_MISSING = "There is nothing to play here."
INDEX = "index.html"


class Allowed(Struct, frozen=True):
    """A file that may be sent, and whether to everybody."""

    path: str
    page: Page
    is_public: bool
    result_id: UUID


def demand_plain(path: str) -> None:
    """Raise ``NotFoundError`` for a path that a browser would make another of."""
    if "\\" in path or not {".", ".."}.isdisjoint(path.split("/")):
        raise NotFoundError(_MISSING)


async def find(
    means: Means, build_id: UUID, path: str, key: str, *, is_keeper: bool = False
) -> Allowed:
    """Return the file at ``path`` for the holder of ``key``; raises ``NotFoundError``.

    A service worker (``is_keeper``) would keep the game for somebody who may not play it any more:
    a private game has none.
    """
    held = keys.holder(means.settings.play_secret, build_id, key) if key else None
    user_id = held[0] if held else NOBODY
    wanted = f"{path}{INDEX}" if not path or path.endswith("/") else path
    found = await repository.page(means.db, build_id, user_id, wanted)
    if found is None or found.page is None or (is_keeper and not found.is_public):
        raise NotFoundError(_MISSING)
    return Allowed(wanted, found.page, found.is_public, found.result_id)


def seconds_left(means: Means, build_id: UUID, key: str) -> int:
    """Return for how long a key is good; raises ``NotFoundError`` for one that is not."""
    held = keys.holder(means.settings.play_secret, build_id, key)
    if held is None:
        raise NotFoundError(_MISSING)
    return held[1]
