"""What makes two builds the same."""

import platform
import zlib
from pathlib import Path

import brotli
import msgspec
import pytest

from builds import recipe, toolchain
from builds.toolchain import Tools
from builds.types import Asset, File, Manifest, Options

_FILES = [File("a.ts", "11", 1), File("b.ts", "22", 2)]
_ASSETS = [Asset("ball.png", "33", 3, "https://store/one"), Asset("b.png", "44", 3, "https://x")]
_MANIFEST = Manifest(7, _FILES, _ASSETS)


def _key(toolchain="t", target="web", options=Options(), manifest=_MANIFEST):  # noqa: B008 - it is frozen
    return recipe.key(toolchain, target, options, manifest)


def test_order_addresses_and_the_moment_do_not_count():
    moved = [msgspec.structs.replace(a, url="https://store/two") for a in _ASSETS[::-1]]
    assert _key(manifest=Manifest(8, _FILES[::-1], moved)) == _key()


@pytest.mark.parametrize(
    "other",
    [
        {"toolchain": "u"},
        {"target": "electron"},
        {"options": Options(minify=False)},
        {"options": Options(sourcemap=False)},
        {"manifest": Manifest(7, [File("a.ts", "12", 1), _FILES[1]], _ASSETS)},
        {"manifest": Manifest(7, [File("c.ts", "11", 1), _FILES[1]], _ASSETS)},
        {"manifest": Manifest(7, _FILES[:1], _ASSETS)},
        {"manifest": Manifest(7, _FILES, _ASSETS[:1])},
        {"manifest": Manifest(7, _FILES, [Asset("ball.png", "34", 3, ""), _ASSETS[1]])},
    ],
)
def test_whatever_changes_the_bytes_counts(other):
    assert _key(**other) != _key()


def test_another_recipe_makes_other_keys(monkeypatch):
    before = _key()
    monkeypatch.setattr(recipe, "RECIPE", "another")
    assert _key() != before


@pytest.mark.parametrize(
    "path",
    ["pipeline/page.py", "pipeline/new.py", "vendor/chunks.py", "packages/lock.py", "encodings.py"],
)
def test_the_pipeline_is_what_its_sources_are(tmp_path, path):
    for home in (tmp_path / "before", tmp_path / "after"):
        for source in ("pipeline/page.py", "vendor/chunks.py", "packages/lock.py", "encodings.py"):
            (home / source).parent.mkdir(parents=True, exist_ok=True)
            (home / source).write_text("")
    assert recipe.pipeline(tmp_path / "before") == recipe.pipeline(tmp_path / "after")
    (tmp_path / "other").mkdir()
    after = (tmp_path / "after").rename(tmp_path / "other" / "after")
    (after / path).write_text("changed")
    assert recipe.pipeline(tmp_path / "before") != recipe.pipeline(after)


def test_another_pipeline_makes_other_keys(monkeypatch, tmp_path):
    before = _key()
    monkeypatch.setattr(recipe, "_HERE", tmp_path)
    assert _key() != before


def test_every_source_of_ours_that_a_key_names_is_there():
    home = Path(recipe.__file__).parent
    assert all(list(home.glob(pattern)) for pattern in recipe.MADE_BY)


def _installed(folder):
    tools = Tools(folder / "ts", folder / "esbuild", folder / "package-lock.json")
    tools.tsc.mkdir()
    for path in (tools.tsc / "tsc", tools.esbuild, tools.lock):
        path.write_text(path.name)
    return tools


@pytest.mark.parametrize(
    ("of", "name", "other"),
    [
        (platform, "python_version", lambda: "4.0.0"),
        (zlib, "ZLIB_RUNTIME_VERSION", "4.0.0"),
        (brotli, "__version__", "4.0.0"),
    ],
)
def test_whatever_compresses_belongs_to_the_tools(tmp_path, monkeypatch, of, name, other):
    tools = _installed(tmp_path)
    before = toolchain.digest(tools)
    monkeypatch.setattr(of, name, other)
    assert toolchain.digest(tools) != before


def test_the_tools_are_what_their_bytes_are(tmp_path):
    tools = Tools(tmp_path / "ts", tmp_path / "esbuild", tmp_path / "package-lock.json")
    assert toolchain.digest(tools) is None
    _installed(tmp_path)
    before = toolchain.digest(tools)
    assert before
    assert before == toolchain.digest(tools)
    tools.esbuild.write_text("newer")
    assert toolchain.digest(tools) != before
