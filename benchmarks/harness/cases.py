"""The paths that are measured: to measure another, add a ``Case`` to the table below."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from benchmarks.harness.contender import Contender
from benchmarks.harness.world import World, digest


class BadAnswerError(Exception):
    """A contender answered wrongly: what was measured is worth nothing."""


class Ask(msgspec.Struct, frozen=True):
    """One request of a case: who wants what; ``file`` counts within the project."""

    user: int
    project: int
    file: int


type Check = Callable[[World, Ask, str, dict[str, Any]], None]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One path: how to ask, what must come back, and how fast it is meant to be.

    ``goals`` are requests a second as a multiple of the named contender's.
    """

    name: str
    method: str
    path: str
    check: Check
    writes: bool = False
    goals: dict[str, float]

    def url_path(self, world: World, contender: Contender, ask: Ask) -> str:
        """Return the path of one request."""
        file = world.projects[ask.project].files[ask.file].path
        return self.path.format(project=contender.project_ids[ask.project], file=quote(file))


def content_with(world: World, ask: Ask, stamp: str) -> str:
    """Return what a write puts into a file: as long as before, different every time."""
    return f"// {stamp}\n{world.projects[ask.project].files[ask.file].content}"


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise BadAnswerError(f"{what} is {found!r}, not {expected!r}")


def _project(world: World, ask: Ask, _: str, data: dict[str, Any]) -> None:
    seed = world.projects[ask.project]
    _expect("name", data["name"], seed.name)
    _expect("description", data["description"], seed.description)
    _expect("settings", data["settings"], seed.settings)
    _expect("userId", data["userId"], str(world.users[seed.owner]))
    _expect("isPublic", data["isPublic"], expected=False)
    _expect("role", data["role"], "owner" if ask.user == seed.owner else "editor")


def _file(world: World, ask: Ask, _: str, data: dict[str, Any]) -> None:
    seed = world.projects[ask.project].files[ask.file]
    _expect("path", data["path"], seed.path)
    _expect("encoding", data["encoding"], "utf-8")
    _expect("hash", data["hash"], digest(data["content"]))
    _expect("size", data["size"], len(data["content"].encode()))
    # writes before this one put a line of their own in front
    if not data["content"].endswith(seed.content):
        raise BadAnswerError(f"{seed.path} has a foreign content")


def _written(world: World, ask: Ask, stamp: str, data: dict[str, Any]) -> None:
    content = content_with(world, ask, stamp)
    _expect("path", data["path"], world.projects[ask.project].files[ask.file].path)
    _expect("hash", data["hash"], digest(content))
    _expect("size", data["size"], len(content.encode()))
    _expect("updatedBy", data["updatedBy"], str(world.users[ask.user]))
    _expect("unchanged", data.get("unchanged", False), expected=False)


READ_FILE = Case(
    name="GET file",
    method="GET",
    path="/api/v1/projects/{project}/files/{file}",
    check=_file,
    goals={"fastify-prisma": 5.0, "fastify-pg": 1.6},
)

CASES = (
    Case(
        name="GET project",
        method="GET",
        path="/api/v1/projects/{project}",
        check=_project,
        goals={"fastify-prisma": 5.0, "fastify-pg": 1.6},
    ),
    READ_FILE,
    Case(
        name="PUT file",
        method="PUT",
        path="/api/v1/projects/{project}/files/{file}",
        check=_written,
        writes=True,
        goals={"fastify-prisma": 4.0, "fastify-pg": 1.0},
    ),
)
