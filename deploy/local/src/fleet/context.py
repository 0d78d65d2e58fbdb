"""What every part of the plan is made from."""

import sys

import msgspec

from fleet.home import Home
from fleet.ports import Ports
from fleet.programs import Programs
from fleet.secrets import Secrets
from fleet.settings import FleetSettings, inherited

PYTHON = sys.executable


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One fleet: its place, its ports, its secrets, its programs."""

    home: Home
    ports: Ports
    secrets: Secrets
    programs: Programs
    settings: FleetSettings

    def environment(self, **more: str) -> dict[str, str]:
        """Return what a child inherits, and its own variables."""
        return inherited(self.settings) | more
