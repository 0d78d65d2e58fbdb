"""Builds that want more than there is: each says of what, and the next one succeeds."""

import pytest

_PAGE = "<script type=module src=src/main.ts></script>"
_MANY_ERRORS = "".join(f"export const v{i}: number = 'x';\n" for i in range(400))
_LONG = f"export const text = {'x' * 300_000!r};\nconsole.log(text);\n"
_MIB = 1 << 20


@pytest.fixture
def told(company):
    """Start the worker with other settings; as it was before afterwards."""
    company.stop("worker")
    yield lambda **settings: company.start("worker", **settings)
    company.stop("worker")
    company.start("worker")


@pytest.mark.parametrize(
    ("setting", "value", "code", "expected"),
    [
        ("SANDBOX_MEMORY_BYTES", 24 * _MIB, "alert(1);", "MEMORY_LIMIT"),
        ("SANDBOX_PROCESSES", 6, "alert(1);", "PROCESS_LIMIT"),
        ("SANDBOX_OUTPUT_BYTES", 64 * 1024, _LONG, "DISK_LIMIT"),
        ("SANDBOX_FILES", 3, "alert(1);", "FILE_LIMIT"),
        ("SANDBOX_LOG_BYTES", 2000, _MANY_ERRORS, "LOG_LIMIT"),
    ],
)
async def test_a_build_that_wants_too_much_says_of_what(desk, told, setting, value, code, expected):
    told(**{setting: str(value)})
    build = await desk.built({"index.html": _PAGE, "src/main.ts": code})
    assert (build["status"], build["errorCode"]) == ("failed", "RESOURCE_LIMIT"), build
    first = build["diagnostics"][0]
    assert (first["code"], first["file"], first["severity"]) == (expected, None, "error")
    assert first["message"] == build["errorMessage"]


async def test_a_build_whose_processors_are_used_up_says_so(desk, told, slow):
    told(SANDBOX_CPU_S="1")
    build = await desk.built(slow(250))
    assert (build["status"], build["errorCode"]) == ("failed", "RESOURCE_LIMIT")
    assert build["diagnostics"][0]["code"] == "CPU_LIMIT"


async def test_a_build_whose_time_is_up_has_a_status_of_its_own(desk, told, slow):
    told(CHECK_S_MAX="1")
    build = await desk.built(slow(250))
    assert (build["status"], build["errorCode"]) == ("timed_out", "BUILD_TIMEOUT")
