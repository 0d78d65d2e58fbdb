"""What every contender is filled with: the same users, projects and files, made by rule."""

import hashlib
import random
from uuid import UUID

import msgspec

from common.ids import uuid7

USERS = 100
PROJECTS = 400
FILES_PER_PROJECT = 10
LINES_PER_FILE = 48
STRANGER = USERS  # one more user, who is in no project


class SeedFile(msgspec.Struct, frozen=True):
    """A file as it is before the first round."""

    path: str
    content: str

    @property
    def hash(self) -> str:
        """What the service must say its hash is."""
        return digest(self.content)


class SeedProject(msgspec.Struct, frozen=True):
    """A project, its owner and its one other member, by their numbers."""

    owner: int
    editor: int
    name: str
    description: str
    settings: dict[str, object]
    files: list[SeedFile]


class World(msgspec.Struct, frozen=True):
    """Everything there is; a project is known by its number, its id is each contender's own."""

    users: list[UUID]
    projects: list[SeedProject]


def digest(content: str) -> str:
    """Return the hash of a content as the contract spells it."""
    return hashlib.sha256(content.encode()).hexdigest()


def make() -> World:
    """Make the world; but for the users' ids it is the same in every run."""
    chance = random.Random(7)  # noqa: S311 - test data, not a secret
    return World(
        users=[uuid7() for _ in range(USERS + 1)],
        projects=[_project(number, chance) for number in range(PROJECTS)],
    )


def _project(number: int, chance: random.Random) -> SeedProject:
    owner = number % USERS
    return SeedProject(
        owner=owner,
        editor=(owner + 1 + chance.randrange(USERS - 1)) % USERS,
        name=f"Project {number}",
        description=f"A small game about the number {number}, with a description of usual length.",
        settings={"width": 640 + number, "height": 480, "pixelArt": number % 2 == 0},
        files=[_file(number, index, chance) for index in range(FILES_PER_PROJECT)],
    )


def _file(project: int, index: int, chance: random.Random) -> SeedFile:
    lines = [
        f"export const value{line} = {chance.randrange(10**6)} // of {project}"
        for line in range(LINES_PER_FILE)
    ]
    return SeedFile(path=f"src/module-{index:02}.ts", content="\n".join(lines) + "\n")
