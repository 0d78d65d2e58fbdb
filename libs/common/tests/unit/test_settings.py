"""Settings: read once, and every fault named."""

import pytest

from common.settings import Settings, SettingsError, load

_GOOD = {"DATABASE_URL": "postgresql://x", "FLEET_SECRET": "s", "NATS_URL": "nats://x"}


def test_the_field_in_capitals_is_the_variable() -> None:
    settings = load(Settings, {**_GOOD, "PORT": "8101", "ACCESS_LOG": "false"})
    assert (settings.port, settings.access_log) == (8101, False)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load(Settings, {"PORT": "many", "FLEET_SECRET": "s"})
    text = str(caught.value)
    assert all(name in text for name in ("DATABASE_URL", "NATS_URL", "PORT"))
    assert "FLEET_SECRET" not in text


def test_a_secret_may_come_from_a_file(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    rest = {k: v for k, v in _GOOD.items() if k != "FLEET_SECRET"}
    settings = load(Settings, {**rest, "FLEET_SECRET_FILE": str(secret)})
    assert settings.fleet_secret == secret.read_text().strip()


def test_a_file_that_is_not_there_is_a_fault(tmp_path) -> None:
    rest = {k: v for k, v in _GOOD.items() if k != "FLEET_SECRET"}
    with pytest.raises(SettingsError, match="FLEET_SECRET_FILE"):
        load(Settings, {**rest, "FLEET_SECRET_FILE": str(tmp_path / "no")})
