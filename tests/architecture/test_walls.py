"""Walls that import contracts cannot describe: between a service's features, and around events."""

import ast
import sys
from importlib.metadata import packages_distributions

import grimp
import pytest

from tests.architecture.layout import ROOT, SERVICES

pytestmark = pytest.mark.architecture
PRIVATE = {"repository", "routes", "events"}
# package.feature.layer
DEPTH = 3


@pytest.mark.parametrize("service", SERVICES)
def test_features_meet_in_services_and_types_only(service: str) -> None:
    graph = grimp.build_graph(service)
    crossed = [
        f"{importer} -> {imported}"
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if _crosses(importer.split("."), imported.split("."))
    ]
    assert crossed == []


def _crosses(importer: list[str], imported: list[str]) -> bool:
    if len(importer) < DEPTH or len(imported) < DEPTH:
        return False
    return importer[1] != imported[1] and imported[2] in PRIVATE


def test_contracts_import_msgspec_and_nothing_else() -> None:
    for path in (ROOT / "libs/common/src/common/contracts").glob("*.py"):
        strangers = {
            name
            for name in _imported(ast.parse(path.read_text(encoding="utf-8")))
            if name.partition(".")[0] not in {*sys.stdlib_module_names, "msgspec"}
            and not name.startswith("common.contracts")
        }
        assert strangers == set(), path.name


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_no_package_from_elsewhere_takes_a_service_s_name() -> None:
    offers = packages_distributions()
    ours = {"common", "fleet", *SERVICES}
    taken = {name: offers.get(name, []) for name in ours}
    assert {name: found for name, found in taken.items() if set(found) - {name}} == {}
