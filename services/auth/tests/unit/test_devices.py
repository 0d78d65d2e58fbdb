"""What people call the devices that they are logged in on."""

import pytest

from auth.sessions.types import device_of

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        ),
        (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on Windows"),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Mobile Safari on iOS"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("MyTool 1.0 (beta)", "MyTool"),
        ("x" * 400, "x" * 40),
        ("", "unknown"),
        ("   ", "unknown"),
        ("/", "unknown"),
    ],
)
def test_a_device_has_the_name_that_its_owner_knows(agent: str, device: str) -> None:
    assert device_of(agent) == device
