"""The job that a cluster is asked for: what it has of a run's mounts."""

from pathlib import Path

import pytest
from services.builds.tests.attacks import LIMITS

from builds.sandbox import manifest
from builds.sandbox.manifest import Place
from builds.sandbox.types import Job, Mount, UnavailableSandboxError


def _disks(*targets):
    mounts = tuple(Mount(Path("/rooms/1"), target) for target in targets)
    job = Job(command=("/t/esbuild",), mounts=mounts)
    made = manifest.of("build-1", job, LIMITS, Place("image:1", "gvisor"))
    return {v["name"] for v in made["spec"]["template"]["spec"]["volumes"]}


def test_each_folder_of_a_run_is_a_disk_with_a_name_of_the_cluster():
    found = _disks("/t/esbuild", "/p", "/p/node_modules", "/c")
    assert found == {"disk-p", "disk-p-node-modules", "disk-c", "disk-tmp", "disk-o"}


@pytest.mark.parametrize("target", ["/p/src/main.ts", "/p/a b", "/p/../etc", "/p/", "p"])
def test_nothing_else_is_one(target):
    with pytest.raises(UnavailableSandboxError):
        _disks("/p", target)
