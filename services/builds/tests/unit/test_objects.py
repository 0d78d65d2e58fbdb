"""A grant is read as it was written, once, or not at all."""

from uuid import UUID

import pytest

from builds.objects.types import Grant, read

ANN = UUID("0190a000-0000-7000-8000-000000000001")
BOB = UUID("0190a000-0000-7000-8000-000000000002")
PROJECT = UUID("0190a000-0000-7000-8000-00000000000c")
OURS = f"x-grant={ANN}.{PROJECT}"
BOBS = f"x-grant={BOB}.{PROJECT}"


def test_what_is_written_is_read() -> None:
    grant = Grant(ANN, PROJECT)
    ((name, value),) = grant.marks.items()
    assert f"{name}={value}" == OURS
    for query in (OURS, f"a=b&{OURS}", f"{OURS}&X-Amz-Signature=1", f"a=x-grant%3D1&{OURS}&&b"):
        assert read(query.encode()) == grant


@pytest.mark.parametrize(
    "query",
    [
        "",
        "x-grant",
        "x-grant=",
        f"x-grant={ANN}",
        f"x-grant={ANN}.",
        f"x-grant=.{PROJECT}",
        f"x-grant={ANN}.{PROJECT}.{PROJECT}",
        f"x-grant={ANN}.{PROJECT} ",
        f"x-grant={ANN}.{PROJECT}\n",
        f"x-grant={ANN}%2E{PROJECT}",
        f"x-grant={ANN.hex}.{PROJECT.hex}",
        f"x-grant={str(ANN).upper()}.{str(PROJECT).upper()}",
        f"x-grant={'-' * 36}.{'-' * 36}",
        f"X-Grant={ANN}.{PROJECT}",
        f"x-grant[]={ANN}.{PROJECT}",
        f";{OURS}",
        f"a=b;{OURS}",
        f"{OURS};a=b",
        f"{OURS};",
    ],
)
def test_anything_else_is_no_grant(query: str) -> None:
    assert read(query.encode()) is None


@pytest.mark.parametrize(
    "other",
    [
        BOBS,
        "x-grant",
        "x-grant=",
        # the store drops what it cannot decode, so that these would leave one behind
        f"{BOBS}%zz",
        f"{BOBS};",
        f"x%2Dgrant={BOB}.{PROJECT}",
        f"%78-grant={BOB}.{PROJECT}%",
    ],
)
def test_two_grants_are_none(other: str) -> None:
    assert read(f"{OURS}&{other}".encode()) is None
    assert read(f"{other}&X-Amz-Signature=1&{OURS}".encode()) is None
