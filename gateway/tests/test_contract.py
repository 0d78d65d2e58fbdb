"""Each operation that a service describes is one that the gateway sends to it."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleet import gateway, home, ports, route_table
from fleet.secrets import SERVICES

pytestmark = pytest.mark.contract

METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}


def _operations() -> Iterator[tuple[str, str, str]]:
    """Yield service, method and path of every operation of every document."""
    for path in sorted((home.repository() / "docs" / "openapi").glob("*.json")):
        if path.stem in SERVICES:
            document = msgspec.json.decode(path.read_bytes())
            for template, operations in document["paths"].items():
                for method in METHODS & set(operations):
                    yield path.stem, method.upper(), re.sub(r"\{[^}]+\}", "x1", template)


def test_every_operation_has_its_route(tmp_path: Path) -> None:
    values = gateway.values_for(
        ports.Ports(), fleet_secret="x" * 32, allowed_origins=(), access_log=tmp_path / "log"
    )
    table = route_table.of(gateway.configuration(values, tmp_path))
    described = {
        operation: route_table.find(table, operation[1], operation[2]).cluster
        for operation in _operations()
    }
    services = {service for service, _, _ in described}
    assert services == set(SERVICES), "run make contracts: a service has no document"
    lost = {operation: to for operation, to in described.items() if operation[0] != to}
    assert lost == {}
