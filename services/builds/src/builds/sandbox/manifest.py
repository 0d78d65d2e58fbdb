"""The job that a cluster is asked for: a pod of one run, with nothing that it does not need."""

import math
import re
from typing import Any

from msgspec import Struct

from builds.sandbox import script
from builds.sandbox.types import Job, Limits, UnavailableSandboxError

TOOLS = "/t/"
"""Below this the image has its own; it is not sent."""

# a folder whose path makes the name of a volume
_IS_PLACE = re.compile(r"(?:/[a-z0-9_]+)+")
_USER = 1000
_GRACE_S = 90
_KEPT_S = 60
_IMAGE_BYTES = 64 << 20


class Place(Struct, frozen=True):
    """What the cluster must have for a run."""

    image: str
    runtime_class: str


def of(name: str, job: Job, limits: Limits, place: Place) -> dict[str, Any]:
    """The job named ``name`` for a run of ``job``."""
    labels = {"app.kubernetes.io/name": "builds-sandbox", "worldloom/kind": "sandbox"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            # longer than the worker waits: for when there is no worker any more
            "activeDeadlineSeconds": math.ceil(limits.wall_s) + _GRACE_S,
            "ttlSecondsAfterFinished": _KEPT_S,
            "template": {"metadata": {"labels": labels}, "spec": _pod(job, limits, place)},
        },
    }


def _pod(job: Job, limits: Limits, place: Place) -> dict[str, Any]:
    disks = _disks(job, limits)
    return {
        "restartPolicy": "Never",
        **({"runtimeClassName": place.runtime_class} if place.runtime_class else {}),
        # a pod knows nobody: no token, no names of services, no server of names
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["127.0.0.1"]},
        "hostname": "build",
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(job, limits, place, list(disks))],
        "volumes": [{"name": _volume(path), "emptyDir": disk} for path, disk in disks.items()],
    }


def _container(job: Job, limits: Limits, place: Place, disks: list[str]) -> dict[str, Any]:
    return {
        "name": "tool",
        "image": place.image,
        "command": script.streamed(job, limits),
        "workingDir": "/",
        # the worker is attached to it once; when it lets go, the input ends
        "stdin": True,
        "stdinOnce": True,
        "resources": {
            "requests": {"cpu": "100m", "memory": str(limits.memory_bytes)},
            "limits": {
                "cpu": str(limits.cpus),
                "memory": str(limits.memory_bytes),
                "ephemeral-storage": str(limits.output_bytes + _IMAGE_BYTES),
            },
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": _volume(path), "mountPath": path} for path in disks],
    }


def _disks(job: Job, limits: Limits) -> dict[str, dict[str, str]]:
    sent = dict.fromkeys(m.target for m in job.mounts if not m.target.startswith(TOOLS))
    odd = [path for path in sent if not _IS_PLACE.fullmatch(path)]
    if odd:
        raise UnavailableSandboxError(f"A pod cannot be given {odd[0]!r}.")
    inputs = {path: {"sizeLimit": str(limits.input_bytes)} for path in sent}
    return {
        **inputs,
        "/tmp": {"medium": "Memory", "sizeLimit": str(limits.scratch_bytes)},  # noqa: S108 - the pod's own
        "/o": {"medium": "Memory", "sizeLimit": str(limits.output_bytes)},
    }


def _volume(path: str) -> str:
    return f"disk{path.replace('/', '-').replace('_', '-').lower()}"
