"""A decision names what enforces it, and what it names is there."""

import re
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT, manifest

pytestmark = pytest.mark.architecture
FOLDER = ROOT / "docs/decisions"
SECTIONS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))
LINES_MAX = 60


def _parts(path: Path) -> dict[str, str]:
    pieces = re.split(r"(?m)^## (.+)$", path.read_text(encoding="utf-8"))
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(p.name[:4]) for p in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name[:4]} ")
    for head in ("Status", "Area", "Date"):
        assert re.search(rf"(?m)^- {head}: \S", text), head
    assert tuple(_parts(path)) == SECTIONS
    assert all(part.strip() for part in _parts(path).values())
    assert len(text.splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_names_its_enforcer(path: Path) -> None:
    named = re.findall(r"`([^`]+)`", _parts(path)["Enforced by"])
    files = [name for name in named if "/" in name or name.endswith((".toml", ".md"))]
    assert [name for name in files if not (ROOT / name).exists()] == []
    contracts = {c["id"] for c in manifest(ROOT)["tool"]["importlinter"]["contracts"]}
    assert files or contracts & set(named), "neither a file nor an import contract"


def test_the_word_review_enforces_at_most_one_decision() -> None:
    lazy = [p.stem for p in DECISIONS if re.search(r"(?i)\breview\b", _parts(p)["Enforced by"])]
    assert len(lazy) <= 1
