"""What is quick to fail runs first: tests are ordered by their kind, whatever their folder."""

import pytest

KINDS = ("unit", "contract", "architecture", "integration", "e2e")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the (random) order within a kind; a test of no kind runs last."""
    items.sort(key=_kind)


def _kind(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return next((i for i, kind in enumerate(KINDS) if kind in marks), len(KINDS))
