"""Seeding: what changed is published, and nothing else is written."""

import asyncio
from pathlib import Path

import pytest

from common.settings import load
from registry.seed import seed
from registry.settings import Settings
from registry.templates.folder import FolderError

EXAMPLES = Path(__file__).parents[4] / "examples"


async def test_the_same_again_changes_nothing(desk):
    slug = desk.write("start")
    assert await desk.seed() == [slug]
    before = await desk.shown(slug)
    assert await desk.seed() == []
    assert await desk.shown(slug) == before
    assert len(await desk.events(before["id"])) == 1


async def test_a_change_is_published_under_the_same_id(desk):
    slug = desk.slug("start")
    desk.write("start", {f"{slug}.ts": b"one", "index.html": b"same"})
    still = desk.write("still")
    assert await desk.seed() == [slug, still]
    before = await desk.shown(slug)
    desk.write("start", {f"{slug}.ts": b"two"}, version="1.1.0")
    assert await desk.seed() == [slug]
    after = await desk.shown(slug)
    assert (after["id"], after["createdAt"]) == (before["id"], before["createdAt"])
    assert after["updatedAt"] > before["updatedAt"]
    source = (await desk.call(f"/internal/templates/{slug}")).json()
    assert {f["path"]: f["content"] for f in source["files"]} == {
        f"{slug}.ts": "two",
        "index.html": "same",
    }
    assert await desk.trees(slug) == 2
    events = await desk.events(before["id"])
    assert [data["version"] for _, data in events] == ["1.0.0", "1.1.0"]


async def test_what_is_only_said_changes_without_another_tree(desk):
    slug = desk.slug("start")
    desk.write("start", {f"{slug}.ts": b"one"})
    await desk.seed()
    desk.write("start", {f"{slug}.ts": b"one"}, description="Said better.")
    assert await desk.seed() == [slug]
    assert (await desk.shown(slug))["description"] == "Said better."
    assert await desk.trees(slug) == 1


async def test_two_at_once_publish_it_once(desk):
    slug = desk.write("start", {"index.html": b"Here", "src/main.ts": b"start();"})
    published = await asyncio.gather(*[desk.seed() for _ in range(4)])
    assert sorted(published) == [[], [], [], [slug]]
    assert len(await desk.events((await desk.shown(slug))["id"])) == 1


async def test_a_fault_in_one_publishes_none(desk):
    desk.write("fine")
    desk.write("hollow", {})
    with pytest.raises(FolderError, match="no files"):
        await desk.seed()
    assert (await desk.listed()).json()["data"] == []


async def test_the_examples_are_templates(desk):
    await seed(load(Settings, desk.environment), EXAMPLES)
    for manifest in EXAMPLES.glob("*/template.json"):
        source = (await desk.call(f"/internal/templates/{manifest.parent.name}")).json()
        paths = {file["path"] for file in source["files"]}
        assert {"index.html", "src/main.ts"} <= paths
        assert "template.json" not in paths
    assert (await desk.shown("breakout"))["thumbnailUrl"]
