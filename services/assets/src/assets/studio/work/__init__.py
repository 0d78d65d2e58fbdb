"""What is done with files, in a process that has nothing else: one module for each medium."""

import pkgutil
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import IO, Any

from assets.studio.messages import Task

type Function = Callable[[Task, IO[bytes], IO[bytes]], dict[str, Any]]
type Command = Callable[[Task], list[str]]


def import_all(package: ModuleType, *but: str) -> None:
    """Import what a package would import when it is needed: by then nothing can be opened."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.removeprefix(f"{package.__name__}.") not in but:
            import_module(module.name)
