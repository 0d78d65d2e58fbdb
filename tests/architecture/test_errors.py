"""Every failure that a caller can be told of is explained in one place."""

import re

import pytest
import yaml

from tests.architecture.applications import facts
from tests.architecture.layout import ROOT, SERVICES

pytestmark = pytest.mark.architecture
PAGE = ROOT / "docs/errors.md"
ROW = re.compile(r"(?m)^\| (\d{3}) \| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$")


def _rows() -> list[tuple[str, ...]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def _explained() -> dict[str, int]:
    return {code: int(status) for status, code, *_ in _rows()}


@pytest.mark.parametrize("service", SERVICES)
def test_every_code_is_explained_with_its_status(service: str) -> None:
    explained = _explained()
    raised = facts(service).failures
    assert {code: s for code, s in raised.items() if explained.get(code) != s} == {}


def test_what_the_gateway_says_is_explained_too() -> None:
    replies = yaml.safe_load((ROOT / "gateway/replies.yaml").read_text(encoding="utf-8"))
    said = {reply["code"] for reply in replies["replies"] if "code" in reply}
    assert said - set(_explained()) == set()


def test_a_code_is_explained_once() -> None:
    codes = [row[1] for row in _rows()]
    assert len(codes) == len(set(codes))
