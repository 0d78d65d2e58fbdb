"""The game as a site: for any server of files, installable, playable without a network."""

from pathlib import Path

from builds.packagers import head, pwa, security
from builds.packagers.editions import edition
from builds.packagers.types import INDEX, Content, Game
from builds.types import Target

TARGET: Target = "web"
VERSION = edition(TARGET)


def pack(game: Game, scratch: Path) -> dict[str, Content]:  # noqa: ARG001 - it changes little
    """Return the site."""
    added = pwa.added(game)
    page = game.files[INDEX].read_text(encoding="utf-8")
    page = head.sealed(page, game.files, game.sealed)
    page = head.with_more(page, pwa.links(game, page, added))
    page = head.with_policy(page, security.policy())
    site: dict[str, Content] = {**game.files, **added, INDEX: page.encode()}
    worker = {} if pwa.WORKER in game.files else {pwa.WORKER: pwa.worker(site)}
    return dict(sorted({**site, **worker}.items()))
