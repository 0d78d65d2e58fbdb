"""What is in the log, and what is not."""

import msgspec
import pytest
import structlog

from common import telemetry

TOKEN = "Ab-_" * 10 + "xyz"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/api/v1/invitations/{TOKEN}/accept", "/api/v1/invitations/-/accept"),
        (f"/api/v1/shared/{TOKEN}", "/api/v1/shared/-"),
        (f"/api/v1/shared/{TOKEN}?raw=1", "/api/v1/shared/-?raw=1"),
        (f"/api/v1/projects/{'0190a000-0000-7000-8000-00000000000b'}/files/a.ts",) * 2,
        (f"/blobs/{'0' * 64}",) * 2,
    ],
)
def test_a_secret_in_a_path_is_in_no_line(
    capsysbinary: pytest.CaptureFixture[bytes], path: str, shown: str
) -> None:
    before = structlog.get_config()
    telemetry.configure("somebody", "info")
    try:
        telemetry.write_line({"event": "request", "path": path})
        structlog.get_logger().error("unhandled", path=path)
    finally:
        # the others' go on to where they went: what this test reads is closed after it
        structlog.configure(**before)
    lines = capsysbinary.readouterr().out.splitlines()
    assert [msgspec.json.decode(line)["path"] for line in lines] == [shown, shown]
