"""Which registry the fleet's builds get packages from."""

import pytest

from fleet import npm
from fleet.settings import FleetSettings

_ADDRESS = "https://packages.example.org/npm/"


def _told(folder, said):
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{said}\n")
    program.chmod(0o755)
    return FleetSettings(path=f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (f"echo {_ADDRESS}", _ADDRESS),
        ("echo undefined", ""),
        ("exit 1", ""),
    ],
)
def test_npm_is_asked_for_its_registry(tmp_path, said, address):
    assert npm.registry(_told(tmp_path, said)) == address


def test_a_setting_comes_before_npms_own_and_without_npm_there_is_none(tmp_path):
    assert npm.registry(FleetSettings(npm_registry_url=_ADDRESS)) == _ADDRESS
    assert npm.registry(FleetSettings(path=str(tmp_path))) == ""
