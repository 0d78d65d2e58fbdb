"""What a packager gets and what it gives."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from builds.types import Target

type Content = bytes | Path
"""A file's bytes, or where they lie; nobody writes there."""

type Orientation = Literal["any", "landscape", "portrait"]

INDEX = "index.html"


class Icon(Struct, frozen=True):
    """A square picture of the game, in the site."""

    path: str
    pixels: int


class About(Struct, frozen=True):
    """What a game says of itself, checked and complete."""

    name: str
    slug: str
    version: str
    description: str
    app_id: str
    orientation: Orientation = "any"
    is_isolated: bool = False
    icons: tuple[Icon, ...] = ()


class Game(Struct, frozen=True):
    """A game that is ready to be packed: its site by path, and what it says of itself.

    ``sealed`` are the files that the bundler made: nobody changes them afterwards.
    """

    about: About
    files: Mapping[str, Path]
    sealed: frozenset[str] = frozenset()
    entry: str = INDEX


class Packager(Protocol):
    """A way to deliver games; a module is one.

    The same game makes the same files, whenever and wherever; ``VERSION`` is another whenever the
    same game would make others.
    """

    TARGET: Target
    VERSION: str

    def pack(self, game: Game, scratch: Path) -> dict[str, Content]:
        """Return the files of the package; ``scratch`` is an empty folder for what is large."""
