"""Somebody is woken only for what is measured, and is told what it means."""

import re
from typing import Any

import pytest
import yaml

from builds.metrics.repository import Queue
from builds.metrics.service import Scraped
from tests.architecture.layout import ROOT

pytestmark = pytest.mark.architecture
_NAME = re.compile(r"\bworldloom_builds_\w+")
_RECORDED = re.compile(r"\bbuilds:[\w:]+")


def _rules() -> list[dict[str, Any]]:
    text = (ROOT / "deploy" / "prometheus" / "builds.rules.yaml").read_text(encoding="utf-8")
    (group,) = yaml.safe_load(text)["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def test_an_alert_is_about_something_that_is_measured() -> None:
    told = {
        f"{metric.name}{ending}"
        for metric in Scraped(Queue(1, 2, 3)).collect()
        for ending in ("", "_total", "_bucket")
    }
    recorded = {rule["record"] for rule in _rules() if "record" in rule}
    for rule in _rules():
        assert set(_NAME.findall(rule["expr"])) <= told, rule
        assert set(_RECORDED.findall(rule["expr"])) <= recorded, rule
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_an_alert_says_what_it_means_and_how_urgent_it_is() -> None:
    alerts = [rule for rule in _rules() if "alert" in rule]
    assert alerts
    for alert in alerts:
        assert alert["labels"]["severity"] in {"page", "warning"}
        assert alert["annotations"]["summary"]
        assert alert["for"]
