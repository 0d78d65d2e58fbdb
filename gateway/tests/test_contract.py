"""Each operation that a service describes is one that the gateway sends to it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fleet import gateway, home, ports, route_table
from fleet.secrets import SERVICES

pytestmark = pytest.mark.contract

METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}


class Operation(msgspec.Struct, frozen=True):
    """What a service describes of one operation."""

    service: str
    method: str
    path: str
    rate: str
    is_anonymous: bool


def _operations() -> Iterator[Operation]:
    """Yield every operation of every document."""
    for path in sorted((home.repository() / "docs" / "openapi").glob("*.json")):
        if path.stem in SERVICES:
            document = msgspec.json.decode(path.read_bytes())
            for template, operations in document["paths"].items():
                for method in METHODS & set(operations):
                    yield Operation(
                        path.stem,
                        method.upper(),
                        re.sub(r"\{[^}]+\}", "x1", template),
                        operations[method]["x-rate-class"],
                        {} in operations[method]["security"],
                    )


type Find = Callable[[str, str], route_table.RouteRow]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """The gateway's routes: of games on their host, of everything else on its own."""
    values = gateway.values_for(
        ports.Ports(), fleet_secret="x" * 32, allowed_origins=(), access_log=tmp_path / "log"
    )
    made = gateway.configuration(values, tmp_path)
    tables = {host: route_table.of(made, host) for host in ("fleet", "play")}

    def found(method: str, path: str) -> route_table.RouteRow:
        host = "play" if path.startswith("/play/") else "fleet"
        return route_table.find(tables[host], method, path)

    return found


@pytest.fixture
def routed(find: Find) -> dict[Operation, route_table.RouteRow]:
    """Every operation, and where the gateway sends it."""
    found = {one: find(one.method, one.path) for one in _operations()}
    services = {one.service for one in found}
    assert services == set(SERVICES), "run make contracts: a service has no document"
    return found


def test_every_operation_has_its_route(routed: dict[Operation, route_table.RouteRow]) -> None:
    assert [one for one, row in routed.items() if row.cluster != one.service] == []


def test_who_may_come_anonymously_is_let_in(routed: dict[Operation, route_table.RouteRow]) -> None:
    shut = {one for one, row in routed.items() if one.is_anonymous == (row.access == "required")}
    assert shut == set()


def test_the_rate_class_is_the_described_one(routed: dict[Operation, route_table.RouteRow]) -> None:
    other = {(one, row.rate) for one, row in routed.items() if row.rate != one.rate}
    assert other == set()


def test_a_slash_at_the_end_is_no_way_around_a_limit(
    find: Find, routed: dict[Operation, route_table.RouteRow]
) -> None:
    slashed = {one: find(one.method, f"{one.path}/") for one in routed}
    other = {(one, row.rate) for one, row in slashed.items() if row.rate != one.rate}
    assert other == set()
    opened = {
        one for one, row in slashed.items() if row.access not in {routed[one].access, "required"}
    }
    assert opened == set()
