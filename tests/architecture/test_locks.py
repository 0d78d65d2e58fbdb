"""The locks pin, by hash, exactly what the manifests ask for, and name no host."""

import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from tests.architecture.layout import MEMBERS, ROOT, SERVICES, manifest, relative, tracked

pytestmark = pytest.mark.architecture
MINE = {canonicalize_name(manifest(folder)["project"]["name"]) for folder in MEMBERS}

type Pins = dict[NormalizedName, Version]


@cache
def _lock(path: Path) -> tuple[Pins, Pins]:
    """What a lock pins on this platform, and what it pins on others only."""
    here: Pins = {}
    elsewhere: Pins = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith((" ", "#")) or not line:
            continue
        requirement = Requirement(line.removesuffix("\\").strip())
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{line} is not pinned"
        applies = requirement.marker is None or requirement.marker.evaluate()
        pins = here if applies else elsewhere
        pins[canonicalize_name(requirement.name)] = Version(specifier.version)
    return here, elsewhere


def _asked(folders: list[Path], groups: dict[str, list[str]]) -> list[Requirement]:
    lines = [line for f in folders for line in manifest(f)["project"]["dependencies"]]
    return [Requirement(line) for line in [*lines, *(x for g in groups.values() for x in g)]]


def _missing(asked: list[Requirement], pins: Pins) -> list[str]:
    return [
        str(requirement)
        for requirement in asked
        if canonicalize_name(requirement.name) not in MINE
        and (requirement.marker is None or requirement.marker.evaluate())
        and not requirement.specifier.contains(
            pins.get(canonicalize_name(requirement.name), Version("0.dev0")), prereleases=False
        )
    ]


def _closure(asked: list[Requirement]) -> set[NormalizedName]:
    """Everything that the requirements need, by what is installed."""
    found: set[tuple[NormalizedName, str]] = set()
    waiting = [(r, extra) for r in asked for extra in ("", *r.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in found or name in MINE:
            continue
        found.add((name, extra))
        for line in distribution(name).requires or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, more) for more in ("", *needed.extras)]
    return {name for name, _ in found}


def _workspace() -> tuple[list[Requirement], Pins]:
    groups: Any = manifest(ROOT)["dependency-groups"]
    return _asked(list(MEMBERS), groups), _lock(ROOT / "requirements.lock")[0]


def test_the_lock_has_what_every_manifest_asks_for() -> None:
    asked, pins = _workspace()
    assert _missing(asked, pins) == [], "run make lock"


def test_the_lock_has_nothing_else() -> None:
    asked, pins = _workspace()
    assert set(pins) - _closure(asked) == set(), "run make lock"
    assert _closure(asked) - set(pins) == set(), "run make lock"


def test_what_is_installed_is_what_is_locked() -> None:
    _, pins = _workspace()
    installed = {name: Version(distribution(name).version) for name in pins}
    other = {name: str(version) for name, version in installed.items() if version != pins[name]}
    assert other == {}, "run make setup"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_s_lock_is_its_part_of_the_whole(service: str) -> None:
    here, elsewhere = _lock(ROOT / "services" / service / "requirements.lock")
    asked = _asked([ROOT / "services" / service, ROOT / "libs/common"], {})
    assert _missing(asked, here) == [], "run make lock"
    assert set(here) == _closure(asked), "run make lock"
    whole = {**_lock(ROOT / "requirements.lock")[1], **_lock(ROOT / "requirements.lock")[0]}
    assert {**here, **elsewhere}.items() <= whole.items(), "run make lock"


def test_every_pin_has_hashes() -> None:
    for path in (ROOT / "requirements.lock", *ROOT.glob("services/*/requirements.lock")):
        entries = re.split(r"(?m)^(?=[A-Za-z0-9])", path.read_text(encoding="utf-8"))
        bare = [e.partition(" ")[0] for e in entries if e.strip() and "--hash=sha256:" not in e]
        assert bare == [], relative(path)


def test_no_lock_names_an_address() -> None:
    locks = [p for p in tracked() if p.name in {"requirements.lock", "package-lock.json"}]
    # a package says who pays for it; that is not where it comes from
    innocent = re.compile(r'"url": "https?://|"(homepage|funding)": "')
    named = [
        f"{relative(path)}:{number}"
        for path in locks
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "://" in line and not innocent.search(line)
    ]
    assert named == []
    assert not [relative(path) for path in tracked() if path.name == "uv.lock"]
