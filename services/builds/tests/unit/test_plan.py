"""What a tree is found to be, and which trees cannot become a site."""

import msgspec
import pytest

from builds.pipeline import package, plan
from builds.pipeline.bundle import Bundle
from builds.pipeline.cache import Cache
from builds.types import BuildError, File, Manifest

_FILES = {"src/main.ts": "", "assets/a.txt": "x", "index.html": "<p>"}


def _of(tree, files):
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(content)
    return plan.of(tree, 1 << 20)


def _about(**about):
    return {"project.json": msgspec.json.encode(about).decode()}


@pytest.mark.parametrize("page", ["assets", "index.html/x", "a\0b", "nope.html", "src/"])
def test_a_page_is_a_file_that_is_there(tmp_path, page):
    with pytest.raises(BuildError) as raised:
        _of(tmp_path, _FILES | _about(page=page))
    assert raised.value.code == "CONFIG_INVALID"
    assert raised.value.diagnostics[0].file == "project.json"
    assert "\0" not in str(raised.value)


def test_only_the_usual_page_may_be_missing(tmp_path):
    made = _of(tmp_path, {"src/main.ts": ""} | _about(page="./index.html"))
    assert made.page_path == "index.html"
    assert "<title>Game</title>" in made.page


def test_a_page_of_another_name_is_found(tmp_path):
    assert _of(tmp_path, _FILES | {"a/b.htm": "<b>"} | _about(page="/a/b.htm")).page == "<b>"


@pytest.mark.parametrize("path", ["index.html/x", "pwa", "sw.js/x", "manifest.webmanifest/a/b"])
def test_what_every_site_has_is_in_nobodys_way(tmp_path, path):
    with pytest.raises(BuildError) as raised:
        _of(tmp_path, {"src/main.ts": "", path: ""})
    assert raised.value.code == "CONFIG_INVALID"
    assert path in str(raised.value)


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("vendor", "vendor/three/three-A.js"),
        ("assets", "assets/ball-B.png"),
        ("src.x.worker.js/a/b", "src.x.worker.js"),
    ],
)
def test_a_file_in_the_way_of_what_the_bundler_made_is_the_projects_fault(rooms, path, made):
    found = _of(rooms.tree, {"src/main.ts": "", path: "x"})
    cache = Cache(rooms.root / "cache")
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    cache.path(sha256).parent.mkdir(parents=True)
    cache.put(sha256, b"x")
    (rooms.bundle / made).parent.mkdir(parents=True, exist_ok=True)
    (rooms.bundle / made).write_text("made")
    bundle = Bundle([made], {}, [], set(), [])
    manifest = Manifest(1, [File(path, sha256, 1)], [])
    with pytest.raises(BuildError) as raised:
        package.site(found, bundle, manifest, rooms, cache)
    assert raised.value.code == "CONFIG_INVALID"
    assert made in str(raised.value)
