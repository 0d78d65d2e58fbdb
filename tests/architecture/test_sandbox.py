"""Where strangers' code runs in a cluster: what is written of it fits together."""

from typing import Any

import msgspec
import pytest
import yaml

from builds.settings import Settings
from tests.architecture.layout import ROOT

pytestmark = pytest.mark.architecture
_FOLDER = ROOT / "deploy/k8s/sandbox"
_NAMESPACE = "worldloom-sandbox"


def _documents(folder: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    paths = sorted((_FOLDER / folder).glob("*.yaml"))
    found = [d for path in paths for d in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    return {(d["kind"], d.get("metadata", {}).get("name", "")): d for d in found}


def test_everything_of_the_namespace_is_applied() -> None:
    kustomization = _documents()["Kustomization", ""]
    files = {path.name for path in _FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


def test_a_sandbox_reaches_nobody_and_is_reached_by_nobody() -> None:
    policy = _documents()["NetworkPolicy", "nothing"]
    assert policy["metadata"]["namespace"] == _NAMESPACE
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_worker_has_no_right_but_those_of_its_jobs() -> None:
    documents = _documents()
    role = documents["Role", "builds-worker"]
    rights = {(r["resources"][0], verb) for r in role["rules"] for verb in r["verbs"]}
    assert rights == {
        ("jobs", "create"),
        ("jobs", "delete"),
        ("pods", "list"),
        ("pods", "delete"),
        ("pods/attach", "get"),
        ("pods/attach", "create"),
    }
    assert role["metadata"]["namespace"] == _NAMESPACE
    assert not [kind for kind, _ in documents if kind.startswith("Cluster")]
    (subject,) = documents["RoleBinding", "builds-worker"]["subjects"]
    assert ("ServiceAccount", subject["name"]) in _documents("worker")


def test_the_settings_name_what_is_deployed() -> None:
    documents = _documents()
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert ("Namespace", defaults["sandbox_namespace"]) in documents
    assert ("RuntimeClass", defaults["sandbox_runtime_class"]) in documents
