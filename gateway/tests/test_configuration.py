"""The rendered configuration is one that Envoy takes, and keeps its secrets."""

import re
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest

from fleet import gateway, home, ports, programs, route_table, settings
from fleet.gateway import GatewayError
from fleet.gateway_values import GatewayValues, Limits, Upstreams

pytestmark = pytest.mark.integration

SECRET = "the-fleets-own-secret"  # noqa: S105 - a secret of these tests


def _values(folder: Path, secret: str = SECRET) -> GatewayValues:
    return gateway.values_for(
        ports.Ports(),
        fleet_secret=secret,
        allowed_origins=["http://localhost:5173"],
        access_log=folder / "access.log",
    )


def test_envoy_takes_the_configuration(tmp_path: Path) -> None:
    path = gateway.render(_values(tmp_path), tmp_path)
    binary = programs.find(settings.read()).envoy
    command = [*gateway.command(path, binary), "--mode", "validate"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert run.returncode == 0, run.stderr
    assert "deprecated" not in run.stderr.lower()


def test_the_configuration_is_its_owners_alone(tmp_path: Path) -> None:
    path = gateway.render(_values(tmp_path), tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = gateway.render(_values(tmp_path), tmp_path)
    assert stat.S_IMODE(again.stat().st_mode) == 0o600


def test_the_secret_may_stay_in_the_environment(tmp_path: Path) -> None:
    path = gateway.render(_values(tmp_path, "%ENVIRONMENT(FLEET_SECRET)%"), tmp_path)
    assert SECRET not in path.read_text()


@pytest.mark.parametrize(
    "secret", ["", "short", "%REQ(AUTHORIZATION)%%REQ(X)%", "with a space in it"]
)
def test_a_secret_that_envoy_would_evaluate_is_refused(tmp_path: Path, secret: str) -> None:
    with pytest.raises(GatewayError, match="fleet_secret"):
        gateway.render(_values(tmp_path, secret), tmp_path)


@pytest.mark.parametrize("name", ["", "%REQ(AUTHORIZATION)%", "with a space"])
def test_a_name_that_envoy_would_evaluate_is_refused(tmp_path: Path, name: str) -> None:
    values = msgspec.structs.replace(_values(tmp_path), name=name)
    with pytest.raises(GatewayError, match="name"):
        gateway.render(values, tmp_path)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "play.example",
        "ftp://play.example",
        "http://play.example/x",
        "http://*.example",
        "http://a b",
    ],
)
def test_an_origin_of_games_that_is_none_is_refused(tmp_path: Path, origin: str) -> None:
    values = msgspec.structs.replace(_values(tmp_path), play_origin=origin)
    with pytest.raises(GatewayError, match="play_origin"):
        gateway.render(values, tmp_path)


@pytest.mark.parametrize("allowed", ["http://play.example:8080", "http://*.example:8080"])
def test_games_are_not_where_an_editor_is(tmp_path: Path, allowed: str) -> None:
    values = msgspec.structs.replace(
        _values(tmp_path), play_origin="http://play.example:8080", allowed_origins=[allowed]
    )
    with pytest.raises(GatewayError, match="allowed_origins"):
        gateway.render(values, tmp_path)


def test_every_placeholder_is_filled(tmp_path: Path) -> None:
    text = gateway.render(_values(tmp_path), tmp_path).read_text()
    assert not re.search(r"\$\{?[A-Z_]+", text)


def test_the_administrators_port_is_on_loopback_alone(tmp_path: Path) -> None:
    values = msgspec.structs.replace(_values(tmp_path), listen_host="0.0.0.0")  # noqa: S104 - as in a container
    rendered = gateway.configuration(values, tmp_path)
    assert rendered["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_routes_have_names_of_their_own_and_clusters_that_exist(tmp_path: Path) -> None:
    rendered = gateway.configuration(_values(tmp_path), tmp_path)
    table = [row for host in ("fleet", "play") for row in route_table.of(rendered, host)]
    names = [row.name for row in table]
    assert len(names) == len(set(names))
    clusters = {cluster["name"] for cluster in rendered["static_resources"]["clusters"]}
    assert {row.cluster for row in table if row.cluster} <= clusters


def test_the_readme_names_every_cluster_and_class() -> None:
    readme = (home.repository() / "gateway" / "README.md").read_text()
    wanted = [*Upstreams.__struct_fields__, *Limits.__struct_fields__]
    assert [word for word in wanted if f"`{word}`" not in readme] == []


def test_the_access_log_keeps_no_query_and_no_token_of_a_path(
    edge_log: Path,
) -> None:
    text = edge_log.read_text()
    assert "hidden-ticket" not in text
    assert "hidden-invitation" not in text
    assert "hidden-link" not in text
    assert "/api/v1/invitations/-" in text
    assert "/api/v1/shared/-" in text
    lines = [msgspec.json.decode(line) for line in text.splitlines()]
    assert {"requestId", "method", "path", "status", "route", "ms", "user"} <= set(lines[0])
