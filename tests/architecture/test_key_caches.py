"""Whoever remembers the keys that sign tokens forgets them before auth counts on it."""

from typing import Any

import msgspec
import pytest

from auth.settings import Settings as AuthSettings
from collab.settings import Settings as CollabSettings
from fleet import gateway_image
from fleet.gateway_values import GatewayValues

pytestmark = pytest.mark.architecture


def _default(cls: type[msgspec.Struct], name: str) -> Any:
    return next(field.default for field in msgspec.structs.fields(cls) if field.name == name)


def test_nobody_remembers_keys_for_longer_than_auth_says() -> None:
    said_s = _default(AuthSettings, "jwks_cached_s")
    assert _default(CollabSettings, "jwks_kept_s") <= said_s
    assert _default(GatewayValues, "jwks_cache_s") <= said_s
    assert gateway_image.values().jwks_cache_s <= said_s


def test_the_gateway_takes_tokens_that_last_as_long_as_auth_s() -> None:
    assert (
        _default(AuthSettings, "access_lifetime_s") <= gateway_image.values().token_lifetime_s_max
    )
