"""Which bytes of an asset a build takes."""

import pytest

from builds.pipeline.optimise import smallest
from builds.types import Asset, Variant


@pytest.mark.parametrize(
    ("variants", "taken"),
    [
        ([("less", 90), ("least", 80)], "least"),
        ([("same", 100)], "before"),
        ([("more", 101)], "before"),
        ([], "before"),
    ],
)
def test_the_smallest_is_taken_and_nothing_larger(variants, taken):
    made = [Variant(sha256, size, "url") for sha256, size in variants]
    found = smallest(Asset("a.png", "before", 100, "url", made))
    assert (found.name, found.sha256) == ("a.png", taken)
