"""Where things are in the repository."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SERVICES = tuple(sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml")))
MEMBERS = (
    ROOT / "libs/common",
    *(ROOT / "services" / name for name in SERVICES),
    ROOT / "deploy/local",
)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    made = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True)  # noqa: S603 - git, on this repository
    names = made.stdout
    paths = (ROOT / name.decode() for name in names.split(b"\0") if name)
    return tuple(path for path in paths if path.is_file())


@cache
def text_of(path: Path) -> str | None:
    """A file's text; none where it is binary."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def relative(path: Path) -> str:
    """A path as people name it."""
    return str(path.relative_to(ROOT))


def sources() -> list[Path]:
    """Every Python module that is shipped."""
    return [p for p in tracked() if p.suffix == ".py" and "src" in p.relative_to(ROOT).parts]


def manifest(folder: Path) -> dict[str, Any]:
    """A member's ``pyproject.toml``."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
