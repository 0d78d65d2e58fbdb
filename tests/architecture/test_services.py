"""A service is whole: everything that the fleet needs to know of it is there."""

import re
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from fleet import gateway, ports, route_table
from fleet.secrets import SERVICES as RUN_LOCALLY
from tests.architecture.layout import MEMBERS, ROOT, SERVICES, manifest

pytestmark = pytest.mark.architecture
each = pytest.mark.parametrize("service", SERVICES)


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_there_are_six() -> None:
    assert set(SERVICES) == {"auth", "projects", "assets", "builds", "collab", "registry"}


@each
def test_a_service_depends_on_common_only(service: str) -> None:
    given = manifest(ROOT / "services" / service)["project"]["dependencies"]
    names = {Requirement(line).name for line in given}
    ours = {folder.name for folder in MEMBERS} | {"fleet"}
    assert names & ours == {"common"}


def test_common_depends_on_no_service() -> None:
    names = {Requirement(x).name for x in manifest(ROOT / "libs/common")["project"]["dependencies"]}
    assert names.isdisjoint({*SERVICES, "fleet"})


@each
def test_a_service_has_a_page_about_it(service: str) -> None:
    text = _read(f"services/{service}/README.md").lower()
    for word in ("owns", "offers", "announces", "listens", "settings", "run"):
        assert word in text, f"the page does not say what it {word}"


@each
def test_a_service_has_its_own_lock_and_history(service: str) -> None:
    folder = ROOT / "services" / service
    assert (folder / "requirements.lock").is_file()
    versions = sorted(
        path.name for path in folder.glob(f"src/{service}/migrations/versions/[0-9]*.py")
    )
    assert versions, "there is no migration"
    numbers = [int(name[:4]) for name in versions]
    assert numbers == list(range(1, len(numbers) + 1)), "two migrations have one number"


@each
def test_a_service_is_in_the_import_contracts(service: str) -> None:
    contracts = manifest(ROOT)["tool"]["importlinter"]["contracts"]
    by_id = {contract["id"]: contract for contract in contracts}
    assert service in by_id["independence"]["modules"]
    assert service in by_id["common-knows-nobody"]["forbidden_modules"]
    assert f"{service}.*" in by_id["feature-layers"]["containers"]


@each
def test_a_service_has_a_role_and_a_schema_of_its_own(service: str) -> None:
    roles = _read("deploy/postgres/roles.sql")
    found = re.search(r"FOREACH service IN ARRAY ARRAY\[(.+?)\]", roles)
    assert found is not None
    assert service in re.findall(r"'(\w+)'", found[1])


@each
def test_a_service_has_a_user_at_nats_and_at_the_cache(service: str) -> None:
    assert re.search(rf"\buser: {service}\b", _read("deploy/nats/nats.conf"))
    assert re.search(rf"(?m)^user {service} on .*~{service}:\*", _read("deploy/redis/users.acl"))


@each
def test_a_service_runs_in_the_local_fleet(service: str) -> None:
    assert service in RUN_LOCALLY


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The gateway's configuration."""
    folder = tmp_path_factory.mktemp("gateway")
    values = gateway.values_for(
        ports.Ports(), fleet_secret="x" * 32, allowed_origins=(), access_log=folder / "log"
    )
    return gateway.configuration(values, folder)


@each
def test_a_service_has_a_cluster_and_a_route(service: str, envoy: dict[str, Any]) -> None:
    clusters = {cluster["name"] for cluster in envoy["static_resources"]["clusters"]}
    assert service in clusters
    assert service in {row.cluster for row in route_table.of(envoy)}


@each
def test_a_service_has_an_image(service: str) -> None:
    skaffold = yaml.safe_load(_read("skaffold.yaml"))
    artifacts = {artifact["image"]: artifact for artifact in skaffold["build"]["artifacts"]}
    assert artifacts[f"worldloom-{service}"]["docker"]["buildArgs"]["SERVICE"] == service


@each
def test_a_service_is_deployed(service: str) -> None:
    documents = [
        found
        for path in (ROOT / "deploy/k8s/base").glob("*.yaml")
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    kinds = {(found["kind"], found.get("metadata", {}).get("name")) for found in documents}
    assert ("Deployment", service) in kinds
    assert ("Service", service) in kinds
