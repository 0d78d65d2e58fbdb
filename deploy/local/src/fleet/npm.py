"""The package registry of this machine: whatever its npm is told to use."""

import functools
import shutil
import subprocess

from fleet.settings import FleetSettings, inherited

_WAIT_S = 20.0


@functools.cache
def registry(settings: FleetSettings) -> str:
    """Return its address; nothing where neither a setting nor npm names one."""
    npm = shutil.which("npm", path=settings.path)
    if settings.npm_registry_url or npm is None:
        return settings.npm_registry_url
    try:
        told = subprocess.run(
            (npm, "config", "get", "registry"),
            env=inherited(settings),
            capture_output=True,
            check=True,
            timeout=_WAIT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    address = told.stdout.decode(errors="replace").strip()
    return address if address.startswith(("https://", "http://")) else ""
