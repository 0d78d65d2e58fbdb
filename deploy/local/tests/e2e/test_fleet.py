"""The whole fleet as the runner starts it."""

import httpx

from fleet import control, memory, seed
from fleet.testing import Running

MEMORY_MIB_MAX = 2_048


def test_the_demo_account_and_project_are_made_once(fleet_up: Running):
    password = fleet_up.secrets.demo_password
    first = seed.seed(fleet_up.gateway_url, password)
    assert seed.seed(fleet_up.gateway_url, password) == first


def test_the_idle_fleet_holds_less_than_two_gibibytes(fleet_up: Running):
    size_mib, _ = memory.resident_mib(fleet_up.state())
    assert size_mib < MEMORY_MIB_MAX, memory.largest(fleet_up.state())


def test_a_service_that_is_killed_serves_again(fleet_up: Running):
    with httpx.Client(base_url=fleet_up.gateway_url, trust_env=False) as client:
        fleet_up.kill("auth")
        control.until(
            lambda: client.post("/api/v1/auth/login", json={}).status_code == 400,
            "The gateway does not send to auth again.",
        )


def test_the_gateway_restarts_in_order(fleet_up: Running):
    fleet_up.restart("gateway")
    answer = httpx.get(f"{fleet_up.gateway_url}/api/v1/projects", trust_env=False)
    assert answer.status_code == 401
